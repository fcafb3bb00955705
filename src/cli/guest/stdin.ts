import type { Writable } from 'node:stream';
import { messageOf } from '#base/errors.ts';
import type { CliContext } from '../context.ts';

/** Passes our stdin on, as fast as the guest takes it, until it ends or the answer is disposed. */
export function feedStdin(context: CliContext, target: Writable): Disposable {
  const { stdin } = context.process;
  const onError = (error: unknown) => {
    context.output.note(`banger: cannot read stdin: ${messageOf(error)}`);
    target.end();
  };
  stdin.on('error', onError);
  target.on('error', () => {}); // the command ended, or closed its stdin: what is left has no reader
  stdin.pipe(target);
  return {
    [Symbol.dispose]() {
      stdin.removeListener('error', onError);
      stdin.on('error', () => {}); // nobody wants it any more
      stdin.unpipe(target);
      stdin.pause();
    },
  };
}
