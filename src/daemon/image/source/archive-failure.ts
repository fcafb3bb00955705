import { UserError } from '#contract/errors.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { LayerFault } from '#oci/layers/layer-fault.ts';
import { invalidSource } from './invalid-source.ts';

const HINT =
  'is the file complete? Write it again with docker save, podman save or skopeo copy, or use another image';

/** A fault of the archive itself, not of a layer in it; or of the host's disk, which it was to be unpacked to. */
export function archiveFailure(error: unknown, path: string): unknown {
  const action = `unpack "${path}"`;
  if (!(error instanceof LayerFault))
    return explainToolFailure(error, { action, code: 'IMAGE_SOURCE_INVALID', hint: HINT });
  if (error.code === 'IMAGE_LAYER_INVALID')
    return invalidSource(path, error.message, { hint: HINT, cause: error });
  return new UserError(error.code, `Cannot ${action}: ${error.message}`, { hint: HINT, cause: error });
}
