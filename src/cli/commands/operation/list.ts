import { buildCommand } from '@stricli/core';
import type { Operation } from '#contract/owner/operation.ts';
import type { CliContext } from '../../context.ts';
import { formatAge, formatElapsed } from '../../elapsed.ts';
import { jsonFlag, onOff } from '../../parameters.ts';

interface Flags {
  readonly all: boolean;
  readonly json: boolean;
}

const HEAD = ['ID', 'KIND', 'VM', 'STATUS', 'STAGE', 'STARTED', 'TOOK'];

function toRow({ id, kind, vm, status, stage, startedAt, finishedAt }: Operation, now: number): string[] {
  const begin = Date.parse(startedAt);
  const end = finishedAt === undefined ? now : Date.parse(finishedAt);
  return [id, kind, vm?.name ?? '-', status, stage, formatAge(now - begin), formatElapsed(end - begin)];
}

export const listOperationsCommand = buildCommand({
  async func(this: CliContext, { all, json }: Flags) {
    using client = await this.connect();
    const operations = await client.operations.list();
    const wanted = all ? operations : operations.filter(({ status }) => status === 'running');
    if (json) this.output.json(wanted);
    else
      await this.output.table(
        HEAD,
        wanted.map((operation) => toRow(operation, Date.now())),
      );
  },
  parameters: {
    flags: { all: onOff('Also those that have ended a while ago'), json: jsonFlag },
    aliases: { a: 'all' },
  },
  docs: {
    brief: 'List what the daemon is doing',
    fullDescription: `List the operations that run: starts, stops, whatever takes longer than a moment.

  banger operation list
  banger operation list --all --json`,
  },
});
