import { buildCommand } from '@stricli/core';
import { constants } from 'node:os';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { commandParameter } from './command-parameter.ts';
import { vmParameter } from './vm-parameter.ts';

const NAMES = new Map<string, number>(Object.entries(constants.signals));
const MAX_SIGNAL = 64;

/** `TERM`, `SIGTERM`, `term` and 15 are the same. Numbers are those of Linux, on both sides. */
function parseSignal(text: string): number {
  const name = text.toUpperCase();
  const number = /^\d{1,2}$/.test(text) ? Number(text) : (NAMES.get(name) ?? NAMES.get(`SIG${name}`));
  if (number !== undefined && number >= 1 && number <= MAX_SIGNAL) return number;
  throw new UserError('INVALID_ARGUMENT', `Cannot send the signal "${text}": there is none of this name`, {
    hint: 'give a name such as TERM, KILL or INT, or a number from 1 to 64',
  });
}

async function signalCommand(
  this: CliContext,
  { json }: { readonly json: boolean },
  vm: string,
  ...[command, signal = constants.signals.SIGTERM]: readonly [number, number?]
): Promise<void> {
  using client = await this.connect();
  await client.commands.signal(vm, { id: command, signal });
  if (json) this.output.json({ id: command, signal });
  else this.output.line(String(command));
}

export const signalCommandCommand = buildCommand({
  func: signalCommand,
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [
        vmParameter,
        commandParameter,
        { brief: 'Name or number; default: TERM', placeholder: 'signal', parse: parseSignal, optional: true },
      ],
    },
  },
  docs: {
    brief: 'Send a signal to a detached command',
    fullDescription: `Send a signal to a detached command and the processes of its group; print its number. How it took it is seen with
\`banger vm commands\`. The VM itself gets signals with \`banger vm kill\`.

  banger vm signal demo 3
  banger vm signal demo 3 KILL`,
  },
});
