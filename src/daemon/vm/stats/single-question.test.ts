import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleQuestion } from './single-question.ts';

/** Somebody who answers when the test says so. */
class Respondent {
  asked = 0;
  #answer = Promise.withResolvers<string>();

  ask = (): Promise<string> => {
    this.asked += 1;
    return this.#answer.promise;
  };

  answer(text: string): void {
    this.#take().resolve(text);
  }

  fail(error: Error): void {
    this.#take().reject(error);
  }

  #take(): PromiseWithResolvers<string> {
    const open = this.#answer;
    this.#answer = Promise.withResolvers<string>();
    return open;
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('who asks meanwhile gets the same answer', async () => {
  const respondent = new Respondent();
  const question = new SingleQuestion({ ask: respondent.ask, patienceMs: 5000 });
  const answers = Promise.all([question.answer(), question.answer()]);
  respondent.answer('fine');
  assert.deepEqual(await answers, ['fine', 'fine']);
  assert.equal(respondent.asked, 1);
  const next = question.answer();
  respondent.answer('still fine');
  assert.equal(await next, 'still fine');
  assert.equal(respondent.asked, 2);
});

test('nobody waits longer than the bound, and once it is over nobody waits at all', async () => {
  const respondent = new Respondent();
  const question = new SingleQuestion({ ask: respondent.ask, patienceMs: 80 });
  assert.equal(await question.answer(), undefined);
  const begin = performance.now();
  for (let round = 0; round < 20; round += 1) assert.equal(await question.answer(), undefined);
  assert.ok(performance.now() - begin < 1000, 'twenty questions took less than twenty bounds');
  assert.equal(respondent.asked, 1, 'no questions piled up');
});

test('an answer that comes late makes room for the next question', async () => {
  const respondent = new Respondent();
  const question = new SingleQuestion({ ask: respondent.ask, patienceMs: 20 });
  assert.equal(await question.answer(), undefined);
  respondent.answer('late');
  await nextTurn();
  const next = question.answer();
  respondent.answer('in time');
  assert.equal(await next, 'in time');
});

test('a failure is told, a late one to nobody; both make room for the next question', async () => {
  const respondent = new Respondent();
  const question = new SingleQuestion({ ask: respondent.ask, patienceMs: 20 });
  const failing = question.answer();
  respondent.fail(new Error('no'));
  await assert.rejects(failing, /no/);
  assert.equal(await question.answer(), undefined);
  respondent.fail(new Error('nobody hears this'));
  await nextTurn();
  const next = question.answer();
  respondent.answer('yes');
  assert.equal(await next, 'yes');
});

test('who gives up takes nobody along', async () => {
  const respondent = new Respondent();
  const question = new SingleQuestion({ ask: respondent.ask, patienceMs: 5000 });
  const impatient = new AbortController();
  const givingUp = question.answer({ signal: impatient.signal });
  const patient = question.answer();
  impatient.abort(new Error('enough'));
  await assert.rejects(givingUp, /enough/);
  respondent.answer('fine');
  assert.equal(await patient, 'fine');
});
