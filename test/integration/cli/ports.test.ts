import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BangerClient } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { runBanger } from './run-banger.ts';

let home: FakeDaemonHome;
let client: BangerClient;
before(async () => {
  home = await FakeDaemonHome.create();
  client = await home.start();
  for (const name of ['web', 'db']) await (await client.vms.create({ name })).result();
  const command = await client.vms.exec('web', { argv: ['listen', '33999', '127.0.0.53'] });
  command.stdout.resume();
  command.stderr.resume();
  await command.wait();
});
after(async () => {
  client.close();
  await home[Symbol.asyncDispose]();
});

const vm = (...args: string[]) => runBanger(home, ['vm', ...args]);

test('a table of what listens in several VMs; one that is not there hides no other', async () => {
  const { text, stderr, status } = await vm('ports', 'web', 'db', 'none');
  const lines = text.split('\n');
  assert.match(lines[0] ?? '', /^VM +PORT +LISTENS ON +PROCESS +REACHABLE AT +PUBLISHED AT +NOTE$/);
  assert.match(lines[1] ?? '', /^web +22\/tcp +0\.0\.0\.0 +sshd \(400\) /);
  assert.match(
    lines[2] ?? '',
    /^web +33999\/tcp +127\.0\.0\.53 +listen \(500\) .* listens on 127\.0\.0\.53 alone$/,
  );
  assert.match(lines[3] ?? '', /^db +22\/tcp /);
  assert.match(stderr, /Cannot find "none".*\[VM_NOT_FOUND\]/);
  assert.equal(status, 3);
});

test('what is published is printed, listed, and given up again', async () => {
  assert.deepEqual(await vm('publish', 'web', '34080:80').then(({ text, status }) => [text, status]), [
    '127.0.0.1:34080',
    0,
  ]);
  assert.match(
    (await vm('ports', 'web')).text,
    /80\/tcp .* 127\.0\.0\.1:34080 +nothing listens in the guest$/m,
  );
  const udp = await vm('publish', '--json', 'web', '127.0.0.2:34053:53/udp');
  assert.deepEqual(JSON.parse(udp.text), [
    { hostAddress: '127.0.0.2', hostPort: 34_053, guestPort: 53, protocol: 'udp', active: true },
  ]);
  const taken = await vm('publish', 'db', '34080:80');
  assert.equal(taken.status, 3);
  assert.match(taken.stderr, /published by "web" \[PORT_TAKEN\]/);
  assert.match(taken.stderr, /hint: .*banger vm unpublish web 34080/);
  assert.equal((await vm('unpublish', 'web', '34080')).text, '127.0.0.1:34080');
  assert.equal((await vm('unpublish', 'web', '34053/udp')).text, '127.0.0.2:34053');
  const gone = await vm('unpublish', 'web', '34080');
  assert.deepEqual([gone.status, /PORT_NOT_PUBLISHED/.test(gone.stderr)], [3, true]);
});

test('what cannot be read as ports is wrong usage, and says how to write it', async () => {
  const result = await vm('publish', 'web', 'http');
  assert.equal(result.status, 2);
  assert.match(result.stderr, /it is not \[ADDRESS:\]HOST:GUEST/);
});
