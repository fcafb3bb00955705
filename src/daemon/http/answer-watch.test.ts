import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerWatch } from './answer-watch.ts';

/** Answers so many pings, and then no more. */
class Agent {
  left: number;
  pings = 0;

  constructor(answers: number) {
    this.left = answers;
  }

  async ping({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    this.pings += 1;
    this.left -= 1;
    if (this.left >= 0) return 1;
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('no answer')), { once: true });
    });
  }
}

function watch(agent: Agent): { watch: AnswerWatch; silence: Promise<unknown>; heard: unknown[] } {
  const heard: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const onSilence = (error: unknown) => {
    heard.push(error);
    resolve(error);
  };
  return { watch: new AnswerWatch({ agent, onSilence, quietMs: 2, answerMs: 5 }), silence: promise, heard };
}

test('an agent that does not answer is noticed, once', async () => {
  const { silence, heard } = watch(new Agent(0));
  assert.match(String(await silence), /no answer/);
  await sleep(20);
  assert.equal(heard.length, 1);
});

test('one that answers is asked again, for as long as it takes', async () => {
  const agent = new Agent(3);
  await watch(agent).silence;
  assert.equal(agent.pings, 4);
});

test('what has ended asks nobody and says nothing', async () => {
  const agent = new Agent(0);
  const { watch: watching, heard } = watch(agent);
  watching.end();
  await sleep(20);
  assert.deepEqual([agent.pings, heard], [0, []]);
});

test('what ends while it asks says nothing', async () => {
  const agent = new Agent(0);
  const { watch: watching, heard } = watch(agent);
  await sleep(3);
  watching.end();
  await sleep(20);
  assert.deepEqual(heard, []);
});
