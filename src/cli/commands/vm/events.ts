import { buildCommand } from '@stricli/core';
import type { VmEvent } from '#contract/owner/event.ts';
import type { EventsOptions } from '#sdk/events.ts';
import type { CliContext } from '../../context.ts';
import { describeEvent } from '../../describe-event.ts';
import { followFlag, onOff, parseLineCount, parseTimeout } from '../../parameters.ts';
import { vmParameter } from './vm-parameter.ts';

interface Flags {
  readonly follow: boolean;
  readonly since?: number;
  readonly tail?: number;
  readonly json: boolean;
}

async function printVmEvents(this: CliContext, flags: Flags, ...references: string[]): Promise<void> {
  using client = await this.connect();
  const options: EventsOptions = {
    ...(references.length === 0 ? {} : { vms: references }),
    ...(flags.since === undefined ? {} : { since: new Date(Date.now() - flags.since) }),
    ...(flags.tail === undefined ? {} : { limit: flags.tail }),
  };
  const print = (event: VmEvent) =>
    this.output.line(flags.json ? JSON.stringify(event) : describeEvent(event));
  if (flags.follow) {
    await printUntilLeft(this, (signal) => client.events.follow({ ...options, signal }), print);
    return;
  }
  const events = await client.events.list(options);
  if (flags.json) this.output.json(events);
  else for (const event of events) print(event);
}

/** Until Ctrl-C, which ends this process, or until whoever reads has gone. */
async function printUntilLeft(
  { output: { stdout } }: CliContext,
  follow: (signal: AbortSignal) => AsyncIterable<VmEvent>,
  print: (event: VmEvent) => void,
): Promise<void> {
  const leaving = new AbortController();
  void stdout.broken.then(() => leaving.abort());
  try {
    for await (const event of follow(leaving.signal)) {
      print(event);
      await stdout.flush();
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  }
}

export const vmEventsCommand = buildCommand({
  func: printVmEvents,
  parameters: {
    flags: {
      follow: followFlag,
      since: {
        kind: 'parsed',
        parse: parseTimeout,
        brief: 'Only what happened in this time: 10m, 2h',
        placeholder: 'time',
        optional: true,
      },
      tail: {
        kind: 'parsed',
        parse: parseLineCount,
        brief: 'Only so many of the newest to begin with',
        placeholder: 'events',
        optional: true,
      },
      json: onOff('Print one JSON document; with --follow one on each line'),
    },
    aliases: { f: 'follow', n: 'tail' },
    positional: { kind: 'array', parameter: vmParameter },
  },
  docs: {
    brief: 'Print what happened to VMs',
    fullDescription: `Print what happened to VMs, oldest first; without a name to all. The newest 10,000 events are kept, also of VMs that are gone.

  banger vm events
  banger vm events --since 10m demo
  banger vm events -f --tail 0 --json`,
  },
});
