import { buildCommand } from '@stricli/core';
import { completionScripts, type Shell } from '../completion-scripts.ts';
import type { CliContext } from '../context.ts';
import { buildChoice } from '../parameters.ts';

const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export const completionCommand = buildCommand({
  func(this: CliContext, _flags: Readonly<Record<never, unknown>>, shell: Shell) {
    this.output.text(completionScripts[shell]);
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'bash, zsh or fish',
          placeholder: 'shell',
          parse: buildChoice('shell', SHELLS),
          proposeCompletions: () => SHELLS,
        },
      ],
    },
  },
  docs: {
    brief: 'Print the completion script of a shell',
    fullDescription: `Print a script that makes the shell complete commands, flags and the names of VMs. Put one of these into the shell's start-up file:

  source <(banger completion bash)     # ~/.bashrc
  source <(banger completion zsh)      # ~/.zshrc, after compinit
  banger completion fish | source      # ~/.config/fish/config.fish`,
  },
});
