import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseHostPorts } from './choose-host-ports.ts';

test('each exposed port gets a free one of the loopback', async () => {
  const ports = await chooseHostPorts(['80/tcp', '53/udp', '8080'], []);
  assert.deepEqual(
    ports.map(({ hostAddress, guestPort, protocol }) => [hostAddress, guestPort, protocol]),
    [
      ['127.0.0.1', 80, 'tcp'],
      ['127.0.0.1', 53, 'udp'],
      ['127.0.0.1', 8080, 'tcp'],
    ],
  );
  for (const { hostPort } of ports) assert.ok(hostPort >= 1024, String(hostPort));
});

test('an image that exposes nothing publishes nothing', async () => {
  assert.deepEqual(await chooseHostPorts([], []), []);
});

for (const text of ['0/tcp', '65536/tcp', '80/sctp', '1-5/tcp', 'http', '']) {
  test(`"${text}" is no port`, async () => {
    await assert.rejects(chooseHostPorts([text], []), { code: 'INVALID_ARGUMENT' });
  });
}

test('more than a VM may publish is refused', async () => {
  const exposed = Array.from({ length: 65 }, (_, index) => `${index + 1}/tcp`);
  await assert.rejects(chooseHostPorts(exposed, []), { code: 'INVALID_ARGUMENT' });
});
