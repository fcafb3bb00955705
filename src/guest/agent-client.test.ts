import { duplexPair } from 'node:stream';
import { describeDetachedCommands } from './command-conformance.ts';
import { describeAgent } from './conformance.ts';
import { FakeAgent } from './fake/fake-agent.ts';
import { newFakeGuestState } from './fake/fake-guest-state.ts';
import { describeService } from './service-conformance.ts';

describeAgent('the fake', startFake);
describeDetachedCommands('the fake', startFake);
describeService('the fake', startFake);

async function startFake() {
  const state = newFakeGuestState();
  let output = '';
  state.onConsole = (bytes) => (output += String(bytes));
  const open = async () => {
    const [hostEnd, guestEnd] = duplexPair();
    new FakeAgent(guestEnd, state);
    return hostEnd;
  };
  const readConsole = async () => output;
  return { open, readConsole, folder: '/fake', [Symbol.asyncDispose]: async () => {} };
}
