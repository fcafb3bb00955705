import type { Abortable } from '#base/abort.ts';
import type { AgentClient } from '#guest/agent-client.ts';

/** Answers of `systemctl is-system-running` after which the boot goes on no more; `degraded`: some unit failed. */
const SETTLED: ReadonlySet<string> = new Set(['running', 'degraded', 'maintenance']);
const MAX_ANSWER_BYTES = 256;

/**
 * Whether the guest's init has started everything. An init that cannot be asked counts as ready once the agent answers.
 *
 * @throws UserError `COMMAND_NOT_FOUND`, `GUEST_LINK_LOST`, `GUEST_NOT_ANSWERING`
 */
export async function isInitReady(agent: AgentClient, options: Abortable): Promise<boolean> {
  if (agent.hello.init !== 'systemd') return true;
  const command = await agent.exec({ argv: ['systemctl', 'is-system-running'] }, options);
  options.signal?.addEventListener('abort', () => command.close(), { once: true });
  command.stdin.end();
  command.stderr.resume();
  let answer = '';
  for await (const chunk of command.stdout as AsyncIterable<Buffer>) {
    if (answer.length < MAX_ANSWER_BYTES) answer += chunk.toString();
  }
  await command.exited;
  return SETTLED.has(answer.trim());
}
