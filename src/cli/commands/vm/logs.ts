import { buildCommand } from '@stricli/core';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../../context.ts';
import { bytesOfLastLines } from '../../last-lines.ts';
import { followFlag, parseLineCount } from '../../parameters.ts';
import { vmPositional } from './vm-parameter.ts';

interface Flags {
  readonly follow: boolean;
  readonly tail?: number;
}

/** As much as the daemon gives. */
const MAX_TAIL_BYTES = 16 * 2 ** 20;

async function printVmLogs(this: CliContext, { follow, tail }: Flags, reference: string): Promise<void> {
  using client = await this.connect();
  const leaving = new AbortController();
  void this.output.stdout.broken.then(() => leaving.abort());
  const tailBytes = tail === undefined ? MAX_TAIL_BYTES : await measureTail(client, reference, tail);
  const stream = await client.vms.logs(reference, { follow, tailBytes });
  leaving.signal.addEventListener('abort', () => stream.destroy());
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (leaving.signal.aborted) return;
    await this.output.stdout.write(chunk);
  }
}

/** The API counts bytes: the size of the last lines is measured first. What comes meanwhile can only push out their beginning. */
async function measureTail(client: BangerClient, reference: string, lines: number): Promise<number> {
  const chunks: Buffer[] = [];
  const stream = await client.vms.logs(reference, { tailBytes: MAX_TAIL_BYTES });
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return bytesOfLastLines(Buffer.concat(chunks), lines);
}

export const vmLogsCommand = buildCommand({
  func: printVmLogs,
  parameters: {
    flags: {
      follow: followFlag,
      tail: {
        kind: 'parsed',
        parse: parseLineCount,
        brief: 'Only so many lines of the end',
        placeholder: 'lines',
        optional: true,
      },
    },
    aliases: { f: 'follow', n: 'tail' },
    positional: vmPositional,
  },
  docs: {
    brief: "Print a VM's serial console",
    fullDescription: `Print what the guest wrote to its serial console: the kernel's and the init's messages, and what the service of the VM writes.

  banger vm logs demo
  banger vm logs -f --tail 20 demo`,
  },
});
