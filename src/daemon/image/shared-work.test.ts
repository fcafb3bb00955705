import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay } from '#base/backoff.ts';
import { SharedWork, type WorkContext } from './shared-work.ts';

/** A build that a test ends when it wants, and that takes a moment to clean up when it is aborted. */
class FakeBuild {
  started = 0;
  cleanedUp = 0;
  context: WorkContext | undefined;
  finish = Promise.withResolvers<string>();

  run = async (context: WorkContext): Promise<string> => {
    this.started += 1;
    this.context = context;
    this.finish = Promise.withResolvers<string>();
    const aborted = new Promise<never>((_, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason));
    });
    try {
      return await Promise.race([this.finish.promise, aborted]);
    } catch (error) {
      await delay(20);
      this.cleanedUp += 1;
      throw error;
    }
  };
}

const turn = () => delay(1);

test('callers at the same time share one build', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  const both = Promise.all([shared.join('a', {}, build.run), shared.join('a', {}, build.run)]);
  await turn();
  build.finish.resolve('done');
  assert.deepEqual(await both, ['done', 'done']);
  assert.equal(build.started, 1);
});

test('one caller leaves, the others get their result', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  const leaver = new AbortController();
  const left = shared.join('a', { signal: leaver.signal }, build.run);
  const stayed = shared.join('a', { signal: new AbortController().signal }, build.run);
  await turn();
  leaver.abort(new Error('Ctrl-C'));
  await assert.rejects(left, /Ctrl-C/);
  assert.equal(build.context?.signal.aborted, false);
  build.finish.resolve('done');
  assert.equal(await stayed, 'done');
});

test('the last caller who leaves ends the build, and hears of it after the clean-up', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [first, second].map(({ signal }) => shared.join('a', { signal }, build.run));
  await turn();
  first.abort(new Error('first'));
  await assert.rejects(calls[0]!, /first/);
  second.abort(new Error('second'));
  await assert.rejects(calls[1]!, /second/);
  assert.equal(build.cleanedUp, 1);
});

test('who comes while a build is being given up gets a new one', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  const leaver = new AbortController();
  const left = shared.join('a', { signal: leaver.signal }, build.run);
  await turn();
  leaver.abort(new Error('Ctrl-C'));
  const late = shared.join('a', {}, build.run);
  await assert.rejects(left, /Ctrl-C/);
  await delay(5);
  assert.equal(build.started, 2);
  build.finish.resolve('second time');
  assert.equal(await late, 'second time');
});

test('a failure reaches everybody, and the next call tries again', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  const calls = [shared.join('a', {}, build.run), shared.join('a', {}, build.run)];
  await turn();
  build.finish.reject(new Error('no network'));
  for (const outcome of await Promise.allSettled(calls)) assert.equal(outcome.status, 'rejected');
  const again = shared.join('a', {}, build.run);
  await turn();
  build.finish.resolve('done');
  assert.equal(await again, 'done');
});

test('everybody hears the progress, late-comers from where it is', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  const heard: Record<string, string[]> = { early: [], late: [] };
  const reporter = (name: 'early' | 'late') => ({
    stage: (stage: string) => heard[name]!.push(`stage ${stage}`),
    detail: (text: string) => heard[name]!.push(text),
    progress: (done: number) => heard[name]!.push(String(done)),
  });
  const early = shared.join('a', { report: reporter('early') }, build.run);
  await turn();
  build.context?.report.stage('build-image');
  build.context?.report.detail('downloading');
  const late = shared.join('a', { report: reporter('late') }, build.run);
  build.context?.report.progress(7, 10, 'items');
  build.finish.resolve('done');
  await Promise.all([early, late]);
  assert.deepEqual(heard, {
    early: ['stage build-image', 'downloading', '7'],
    late: ['stage build-image', 'downloading', '7'],
  });
});

test('an aborted signal starts nothing', async () => {
  const shared = new SharedWork<string>();
  const build = new FakeBuild();
  await assert.rejects(
    shared.join('a', { signal: AbortSignal.abort(new Error('before')) }, build.run),
    /before/,
  );
  assert.equal(build.started, 0);
});
