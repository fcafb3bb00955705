import { duplexPair } from 'node:stream';
import { describeAgent } from './conformance.ts';
import { FakeAgent } from './fake/fake-agent.ts';
import { newFakeGuestState } from './fake/fake-guest-state.ts';

describeAgent('the fake', async () => {
  const state = newFakeGuestState();
  const open = async () => {
    const [hostEnd, guestEnd] = duplexPair();
    new FakeAgent(guestEnd, state);
    return hostEnd;
  };
  return { open, folder: '/fake', [Symbol.asyncDispose]: async () => {} };
});
