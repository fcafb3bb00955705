import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { Interruption } from '../../interruption.ts';
import { StopSignals } from '../../stop-signals.ts';

export interface Spool extends AsyncDisposable {
  path: string;
}

/** Writes stdin to a private file for the daemon to read; it is removed with the answer. @throws Interruption */
export async function spoolStdin({ process: { stdin }, layout }: CliContext): Promise<Spool> {
  if (stdin.isTTY) {
    throw new UserError('USAGE', 'Cannot read a tar from the terminal', {
      hint: 'for example: docker save acme/tool | banger image import - --name tool',
    });
  }
  await mkdir(layout.cacheDir, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(layout.cacheDir, 'import-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'stdin.tar');
  const aborting = new AbortController();
  using signals = new StopSignals();
  using _ = signals.handle((signal) => aborting.abort(new Interruption(signal)));
  try {
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }), { signal: aborting.signal });
  } catch (error) {
    await remove();
    aborting.signal.throwIfAborted();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}
