import { buildCommand } from '@stricli/core';
import { open } from 'node:fs/promises';
import { messageOf } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { followOperation } from '../../follow-operation.ts';
import { jsonFlag } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { imagePositional } from './image-parameter.ts';

interface Flags {
  readonly key?: string;
  readonly json: boolean;
}

const MAX_KEY_BYTES = 16_384;

export const seedImageCommand = buildCommand({
  async func(this: CliContext, { key, json }: Flags, reference: string) {
    const request = key === undefined ? {} : { publicKey: await readKeyFile(key) };
    using client = await this.connect();
    using signals = new StopSignals();
    const begin = () => client.images.seed(reference, request);
    const { value: workSeed } = await followOperation(this, begin, { signals });
    if (json) this.output.json(workSeed);
    else this.output.line(reference);
  },
  parameters: {
    flags: {
      key: {
        kind: 'parsed',
        parse: String,
        brief: 'File of a public key that is to open it: ~/.ssh/id_ed25519.pub',
        placeholder: 'file',
        optional: true,
      },
      json: jsonFlag,
    },
    positional: imagePositional,
  },
  docs: {
    brief: "Make the work seed of an image's /root",
    fullDescription: `Make a file system of what an image has in /root, which the work disks of VMs begin with; print the image. It is made anew when the image
or the key is another one, and goes with the image.

  banger image seed debian-bookworm
  banger image seed debian-bookworm --key ~/.ssh/id_ed25519.pub`,
  },
});

/** A private key does not leave the file. */
async function readKeyFile(path: string): Promise<string> {
  const text = await readStart(path);
  if (!text.includes('PRIVATE KEY')) return text;
  throw new UserError('PUBLIC_KEY_INVALID', `Cannot use "${path}": it is a private key`, {
    hint: `give the public one: ${path}.pub`,
  });
}

async function readStart(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_KEY_BYTES + 1), position: 0 });
    if (bytesRead > MAX_KEY_BYTES) throw new Error('it is too long for a public key');
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw new UserError('PUBLIC_KEY_INVALID', `Cannot read the public key "${path}": ${messageOf(error)}`, {
      hint: 'ssh-keygen makes one: ~/.ssh/id_ed25519.pub',
      cause: error,
    });
  }
}
