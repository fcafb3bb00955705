import { buildCommand } from '@stricli/core';
import { resolve } from 'node:path';
import { UserError } from '#contract/errors.ts';
import type { ExportFormat } from '#contract/owner/image.ts';
import type { CliContext } from '../../context.ts';
import { followOperation } from '../../follow-operation.ts';
import { buildChoice, jsonFlag } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { imageParameter } from './image-parameter.ts';

interface Flags {
  readonly format?: ExportFormat;
  readonly json: boolean;
}

const FORMATS: readonly ExportFormat[] = ['oci', 'tar'];

export const exportImageCommand = buildCommand({
  async func(this: CliContext, flags: Flags, reference: string, target: string) {
    if (target === '-') {
      throw new UserError('USAGE', 'Cannot export to stdout: the daemon writes the file', {
        hint: 'name a file that ends in .tar, or a folder that is not there yet',
      });
    }
    const { format = target.endsWith('.tar') ? 'tar' : 'oci', json } = flags;
    const path = resolve(target);
    using client = await this.connect();
    using signals = new StopSignals();
    await followOperation(this, () => client.images.export(reference, { path, format }), { signals });
    if (json) this.output.json({ path, format });
    else this.output.line(path);
  },
  parameters: {
    flags: {
      format: {
        kind: 'parsed',
        parse: buildChoice('format', FORMATS),
        brief: 'oci or tar; left out: tar when the target ends in .tar',
        placeholder: 'format',
        optional: true,
      },
      json: jsonFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        imageParameter,
        { brief: 'A file or folder that is not there yet', placeholder: 'target', parse: String },
      ],
    },
  },
  docs: {
    brief: 'Write an image as an OCI layout or a tar',
    fullDescription: `Write an image as an OCI layout folder with one layer, or its root file system as a tar; print where. All files come out
as they are; only sockets and /lost+found are left out.

  banger image export alpine ./alpine-layout
  banger image export alpine alpine.tar`,
  },
});
