import { buildCommand } from '@stricli/core';
import { resolve } from 'node:path';
import { UserError } from '#contract/errors.ts';
import { formatElapsed } from '../../elapsed.ts';
import type { CliContext } from '../../context.ts';
import { followOperation } from '../../follow-operation.ts';
import { jsonFlag } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { imagePositional } from './image-parameter.ts';

interface Flags {
  readonly output: string;
  readonly name?: string;
  readonly description?: string;
  readonly json: boolean;
}

async function makeBundle(this: CliContext, flags: Flags, reference: string): Promise<void> {
  const { name, description, json } = flags;
  const target = {
    path: toPath(flags.output),
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
  };
  using client = await this.connect();
  using signals = new StopSignals();
  const begin = () => client.images.makeBundle(reference, target);
  const { value: bundle, elapsedMs } = await followOperation(this, begin, { signals });
  const { output } = this;
  output.note(output.noteStyle.dim(`done in ${formatElapsed(elapsedMs)}`));
  if (json) return output.json(bundle);
  output.line(`sha256 ${bundle.entry.sha256}`);
  output.note('an entry for the images of a catalog beside it:');
  output.line(JSON.stringify(bundle.entry, undefined, 2));
}

function toPath(output: string): string {
  if (output !== '-') return resolve(output);
  throw new UserError('USAGE', 'Cannot write a bundle to stdout: the daemon writes the file', {
    hint: 'name a file, such as tool.tar.zst',
  });
}

export const makeBundleCommand = buildCommand({
  func: makeBundle,
  parameters: {
    flags: {
      output: {
        kind: 'parsed',
        parse: String,
        brief: 'The file to be made; nothing may be there yet',
        placeholder: 'file',
      },
      name: {
        kind: 'parsed',
        parse: String,
        brief: 'What a catalog is to call it; left out: the name of the image',
        placeholder: 'name',
        optional: true,
      },
      description: {
        kind: 'parsed',
        parse: String,
        brief: 'One line for people',
        placeholder: 'text',
        optional: true,
      },
      json: jsonFlag,
    },
    aliases: { o: 'output' },
    positional: imagePositional,
  },
  docs: {
    brief: 'Write an image as a bundle for a catalog',
    fullDescription: `Write an image as one packed file; print its sha256 and what a catalog says of it. One image always becomes the same bytes. The image may have 8 GiB.

  banger image make-bundle tool --output tool.tar.zst
  banger image import tool.tar.zst --sha256 SHA256       on another machine`,
  },
});
