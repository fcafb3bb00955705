import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { KillSignal } from '#contract/owner/vm.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { forSeveralVms } from '../../several-vms.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly signal: KillSignal;
  readonly json: boolean;
}

const SIGNALS: readonly KillSignal[] = ['TERM', 'KILL', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'ABRT'];

/** `KILL`, `SIGKILL` and `kill` are the same. */
function parseKillSignal(text: string): KillSignal {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const signal = SIGNALS.find((known) => known === name);
  if (signal !== undefined) return signal;
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot send the signal "${text}": it is not one of those allowed`,
    {
      hint: `give one of ${SIGNALS.join(', ')}`,
    },
  );
}

export const killVmCommand = buildCommand({
  async func(this: CliContext, { signal, json }: Flags, ...references: string[]) {
    await forSeveralVms(this, {
      references,
      json,
      begin: (client, reference) => client.vms.kill(reference, { killSignal: signal }),
      toJson: (outcome) => ({ outcome }),
      note: (name, outcome) => {
        if (outcome === 'still-running') this.output.note(`"${name}" got SIG${signal} and still runs`);
        if (outcome === 'already-stopped') this.output.note(`"${name}" was stopped already`);
      },
    });
  },
  parameters: {
    flags: {
      signal: {
        kind: 'parsed',
        parse: parseKillSignal,
        brief: `Which signal: ${SIGNALS.join(', ')}`,
        placeholder: 'signal',
        proposeCompletions: () => SIGNALS,
        default: 'KILL',
      },
      json: jsonFlag,
    },
    aliases: { s: 'signal' },
    positional: vmsPositional,
  },
  docs: {
    brief: 'End VMs that do not stop, without asking them',
    fullDescription: `Send a signal to the machines of VMs, as one pulls the plug; print the name of each. What a guest has not written to its disk is lost.
A start or stop that hangs is broken off. \`banger vm stop\` is the gentle way.

  banger vm kill demo
  banger vm kill --signal TERM web db`,
  },
});
