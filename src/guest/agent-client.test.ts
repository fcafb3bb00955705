import { duplexPair } from 'node:stream';
import { describeDetachedCommands } from './command-conformance.ts';
import { describeAgent } from './conformance.ts';
import { FakeAgent } from './fake/fake-agent.ts';
import { newFakeGuestState } from './fake/fake-guest-state.ts';

describeAgent('the fake', startFake);
describeDetachedCommands('the fake', startFake);

async function startFake() {
  const state = newFakeGuestState();
  const open = async () => {
    const [hostEnd, guestEnd] = duplexPair();
    new FakeAgent(guestEnd, state);
    return hostEnd;
  };
  return { open, folder: '/fake', [Symbol.asyncDispose]: async () => {} };
}
