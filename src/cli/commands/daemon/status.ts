import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { Host } from '#contract/owner/host.ts';
import { buildLabel } from '#contract/version.ts';
import type { CliContext } from '../../context.ts';
import { EXIT } from '../../output/error.ts';
import { formatFields, type Field } from '../../output/fields.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

async function showStatus(this: CliContext, { json }: Flags): Promise<void> {
  using client = await this.connectIfRunning();
  const host = await client?.host();
  if (!host) this.exitStatus = EXIT.unreachable;
  if (json) this.output.json(host ? { running: true, ...host } : { running: false });
  else if (host) this.output.text(formatFields(fieldsOf(host), this.output.style));
  else this.output.line('the daemon does not run; the next command that needs it starts it');
}

function fieldsOf({ build, hypervisor, vms, paths, ...host }: Host): readonly Field[] {
  const isOther = buildLabel(build) !== buildLabel();
  return [
    ['state', 'running'],
    ['build', `${buildLabel(build)}${isOther ? `, not the one of this command: ${buildLabel()}` : ''}`],
    ['pid', String(host.pid)],
    ['started', host.startedAt],
    [
      'hypervisor',
      hypervisor &&
        `${hypervisor.driver} ${hypervisor.version}, ${hypervisor.accelerator}: ${hypervisor.reason}`,
    ],
    ['vms', `${vms.running} running of ${vms.total}`],
    ['memory', formatSize(host.memoryRssBytes)],
    ['socket', paths.socket],
    ['log', paths.log],
    ['state folder', paths.state],
    ['cache folder', paths.cache],
    ['runtime folder', paths.runtime],
  ];
}

export const daemonStatusCommand = buildCommand({
  func: showStatus,
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'Say whether the daemon runs, and which build',
    fullDescription: `Say whether the daemon runs, which build it is and where its files are. Does not start it: exit status 4 when it does not run.

  banger daemon status
  banger daemon status --json`,
  },
});
