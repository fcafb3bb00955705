import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { AgentMachine } from '../support/agent-machine.ts';
import { createMachineHome } from '../support/artifacts.ts';

/** The agent is greeted while parts of the boot are still at work; these are about what comes right after that. */

const SMALL = ['--memory', '512M', '--vcpu', '2'];

test('the first command of a machine finds its names, its network, its modules and its folders', async () => {
  await using home = await createMachineHome();
  const look = [
    'hostname',
    'cat /etc/hostname',
    'grep -c 127.0.1.1 /etc/hosts',
    'grep -c nameserver /etc/resolv.conf',
    'awk \'$2 == "00000000" { print $1 }\' /proc/net/route',
    'test -f /lib/modules/$(uname -r)/modules.dep && echo modules',
    'test -c /dev/pts/ptmx && test -e /dev/stdout && echo devices',
    'cat /sys/devices/system/cpu/online',
  ].join('; ');
  const { text: seen } = await home.succeed([
    ...['vm', 'run', '--rm', '--name', 'early', ...SMALL, '--'],
    ...['sh', '-c', look],
  ]);
  assert.deepEqual(seen.split('\n'), ['early', 'early', '1', '1', 'eth0', 'modules', 'devices', '0-1']);
});

test('a machine whose network and modules disk do not come is greeted at once; its first command waits for them', async () => {
  await using machine = await AgentMachine.boot({
    kernelParameters: ['banger.address=10.77.0.2/24', 'banger.modules=no-such-disk'],
  });
  assert.ok((await machine.client.ping()) >= 0);
  const words = ['cat', '/proc/uptime', '/proc/sys/kernel/hostname', '/proc/mounts'];
  const command = await machine.client.exec({ argv: ['/bin/busybox', ...words] });
  const [seen] = await Promise.all([text(command.stdout), command.exited]);
  const [uptime = '', hostname, ...mounts] = seen.split('\n');
  // The disk is given five seconds.
  const waitedMs = Number(uptime.split(' ')[0]) * 1000 - machine.client.hello.readyUptimeMs;
  assert.ok(waitedMs > 4000, `only ${waitedMs} ms`);
  assert.equal(hostname, 'box');
  for (const folder of ['/dev/pts', '/dev/shm', '/run', '/sys/fs/cgroup']) {
    assert.ok(
      mounts.some((line) => line.split(' ')[1] === folder),
      `${folder} in ${mounts.join('\n')}`,
    );
  }
  const log = await machine.client.exec({ argv: ['/bin/busybox', 'dmesg'] });
  const [messages] = await Promise.all([text(log.stdout), log.exited]);
  assert.match(messages, /banger-agent: cannot find eth0/);
  assert.match(messages, /banger-agent: cannot mount the modules disk "no-such-disk": No such device/);
});
