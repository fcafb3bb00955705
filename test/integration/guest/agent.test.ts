import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { describeDetachedCommands } from '#guest/command-conformance.ts';
import { describeAgent } from '#guest/conformance.ts';
import { describeService } from '#guest/service-conformance.ts';
import { VirtioSerialLink } from '#guest/virtio-serial/virtio-serial-link.ts';

const AGENT_PATH = join(import.meta.dirname, '../../../agent/build/banger-agent');

if (existsSync(AGENT_PATH)) {
  describeAgent('the real agent', startAgent);
  describeDetachedCommands('the real agent', startAgent);
  describeService('the real agent', startAgent);
} else {
  describe('the real agent as an agent', () => {
    it('speaks the guest protocol', { skip: `needs ${AGENT_PATH}: make -C agent` }, () => {});
  });
}

async function startAgent() {
  const folder = await mkdtemp(join(tmpdir(), 'banger-agent-'));
  const socketPath = join(folder, 'link.sock');
  const consolePath = join(folder, 'console.log');
  const console = await open(consolePath, 'a');
  const agent = spawn(AGENT_PATH, ['--listen', socketPath], { stdio: ['ignore', 'ignore', console.fd] });
  await console.close();
  const link = new VirtioSerialLink();
  return {
    folder,
    readConsole: () => readFile(consolePath, 'utf8'),
    open: () => link.connect({ socketPath }, { signal: AbortSignal.timeout(5000) }),
    async [Symbol.asyncDispose]() {
      if (agent.exitCode === null) {
        agent.kill('SIGKILL');
        await once(agent, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
