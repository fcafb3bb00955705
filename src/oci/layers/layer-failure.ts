import { UserError } from '#contract/errors.ts';
import type { LayerFile } from '../descriptor.ts';
import { LayerFault } from './layer-fault.ts';

/** Says of which layer a fault is. */
export function layerFailure(error: unknown, { digest }: LayerFile): unknown {
  if (!(error instanceof LayerFault)) return error;
  return new UserError(error.code, `Cannot use the layer "${digest}": ${error.message}`, {
    hint: 'use another version of the image, or one from another source',
    details: { digest },
    cause: error,
  });
}

/** The same for what a stream meets. */
export async function* namedLayer<T>(layer: LayerFile, stream: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* stream;
  } catch (error) {
    throw layerFailure(error, layer);
  }
}
