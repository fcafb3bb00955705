import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import type { BangerClient, CreateVmRequest, ServiceStatus, Vm } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { file, tarOf } from '../../support/layer-tar.ts';
import { makeImage, writeLayout } from '../oci/tiny-image.ts';

const CONFIG = {
  Entrypoint: ['/bin/echo', 'hello'],
  Cmd: ['from the image'],
  Env: ['PATH=/bin', 'MADE=image'],
  WorkingDir: '/srv/app',
  User: '7:8',
  StopSignal: 'SIGINT',
  ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
  Labels: { made: 'here' },
};

/** Images without much in them, on machines that are pretended. */
describe('how a VM is run', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;

  before(async () => {
    home = await FakeDaemonHome.create();
    client = await home.start();
    await importImage('tool', CONFIG);
    await importImage('booted', { Cmd: ['/sbin/init'], Env: ['container=oci'] });
  });
  after(async () => {
    client?.close();
    await home[Symbol.asyncDispose]();
  });

  const importImage = async (name: string, config: object) => {
    const path = join(home.root, `layout-${name}`);
    await writeLayout(path, [makeImage([tarOf(file('etc/motd'))], { config })]);
    await (await client.images.import({ path, name, sizeBytes: 64 * 2 ** 20 })).result();
  };
  const create = async (request: CreateVmRequest): Promise<Vm> =>
    (await client.vms.create({ image: 'tool', ...request })).result();
  const remove = async (vm: string) => (await client.vms.delete(vm, { force: true })).result();
  const statusOf = (vm: string, state: ServiceStatus['state']) =>
    pollUntil(
      async () => {
        const status = await client.vms.service(vm);
        return status.state === state ? status : undefined;
      },
      { signal: AbortSignal.timeout(20_000) },
    );
  const consoleOf = async (vm: string): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of (await client.vms.logs(vm)) as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const runIn = async (vm: string, request: Parameters<typeof client.vms.exec>[1]): Promise<string> => {
    using command = await client.vms.exec(vm, request);
    command.stdin.end();
    const chunks: Uint8Array[] = [];
    for await (const chunk of command.stdout) chunks.push(chunk);
    await command.wait();
    return Buffer.concat(chunks).toString().trim();
  };

  it('is what its image says, also when the image is gone', async () => {
    await importImage('gone', CONFIG);
    const vm = await create({ image: 'gone', name: 'kept', start: false });
    assert.deepEqual(vm.run, {
      entrypoint: CONFIG.Entrypoint,
      cmd: CONFIG.Cmd,
      env: CONFIG.Env,
      workingDir: CONFIG.WorkingDir,
      user: CONFIG.User,
      stopSignal: CONFIG.StopSignal,
      exposedPorts: ['8080/tcp', '53/udp'],
      labels: CONFIG.Labels,
      isService: true,
      restart: 'on-failure',
    });
    await client.images.delete('gone', { force: true });
    await (await client.vms.start('kept')).result();
    await statusOf('kept', 'exited');
    assert.match(await consoleOf('kept'), /^hello from the image$/m);
    await remove('kept');
  });

  it('the command replaces that of the image; it is started at each boot, and its output is on the console', async () => {
    await create({ name: 'web', command: ['from me'] });
    assert.deepEqual((await statusOf('web', 'exited')).lastExit, { exitCode: 0 });
    await (await client.vms.restart('web')).result();
    await statusOf('web', 'exited');
    assert.deepEqual((await consoleOf('web')).match(/^hello .*$/gm), ['hello from me', 'hello from me']);
    await remove('web');
  });

  it('a service that fails is started again; policy "no" lets it be', async () => {
    const entrypoint = ['/bin/false'];
    await create({ name: 'again', entrypoint });
    await create({ name: 'once', entrypoint, restart: 'no' });
    const { starts } = await pollUntil(
      async () => {
        const status = await client.vms.service('again');
        return status.starts > 1 ? status : undefined;
      },
      { signal: AbortSignal.timeout(20_000) },
    );
    assert.ok(starts > 1);
    assert.deepEqual((await statusOf('once', 'exited')).lastExit, { exitCode: 1 });
    await remove('again');
    await remove('once');
  });

  it('a command that is not there fails as a service, and the VM runs', async () => {
    const vm = await create({ name: 'wrong', entrypoint: ['/no/such'] });
    assert.equal(vm.state, 'running');
    assert.equal((await statusOf('wrong', 'failed')).failure?.code, 'NOT_FOUND');
    await remove('wrong');
  });

  it('who runs the command himself has no service, and nor has what boots an init or runs nothing', async () => {
    await create({ name: 'own', service: false });
    await create({ name: 'init', image: 'booted' });
    await create({ name: 'plain', image: 'debian-bookworm' });
    for (const name of ['own', 'init', 'plain']) {
      await assert.rejects(client.vms.service(name), { code: 'SERVICE_NOT_DEFINED' }, name);
    }
    assert.equal((await client.vms.get('plain')).run, undefined);
    assert.equal(await runIn('plain', { argv: ['env'] }), '');
    for (const name of ['own', 'init', 'plain']) await remove(name);
  });

  it('commands get its variables, folder and user, where they do not say otherwise', async () => {
    await create({ name: 'execs', env: { MADE: 'me' }, service: false });
    assert.equal(await runIn('execs', { argv: ['env'] }), 'PATH=/bin\nMADE=me');
    assert.equal(await runIn('execs', { argv: ['env'], env: { MADE: 'now' } }), 'PATH=/bin\nMADE=now');
    assert.equal(await runIn('execs', { argv: ['pwd'] }), '/srv/app');
    assert.equal(await runIn('execs', { argv: ['pwd'], cwd: '/tmp' }), '/tmp');
    const { id } = await client.commands.start('execs', { argv: ['sleep', '60'] });
    const [command] = await client.commands.list('execs');
    assert.deepEqual([command?.id, command?.user], [id, '7:8']);
    await remove('execs');
  });

  it('exposed ports are published on free ports of the loopback', async () => {
    const { published } = await create({ name: 'ports', publishAll: true, entrypoint: ['/bin/true'] });
    assert.deepEqual(
      published.map(({ hostAddress, guestPort, protocol }) => [hostAddress, guestPort, protocol]),
      [
        ['127.0.0.1', 8080, 'tcp'],
        ['127.0.0.1', 53, 'udp'],
      ],
    );
    await remove('ports');
  });

  it('what cannot be is refused before anything is made', async () => {
    const before = await client.vms.list();
    await assert.rejects(create({ cwd: 'relative' }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(create({ command: ['a\0b'] }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(create({ env: { 'A=B': '1' } }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(create({ kernel: 'no-such' }), { code: 'KERNEL_NOT_FOUND' });
    assert.deepEqual(await client.vms.list(), before);
  });

  it('a VM boots the kernel that was asked for, which stays as long as the VM', async () => {
    const [kernel] = await client.kernels.list();
    const vm = await create({ name: 'pinned', kernel: kernel?.name ?? '', start: false });
    assert.equal(vm.kernelId, kernel?.id);
    await assert.rejects(client.kernels.delete(kernel?.name ?? ''), { code: 'KERNEL_IN_USE' });
    await remove('pinned');
  });

  it('a service outlives the daemon, which finds it as it is', async () => {
    await create({ name: 'lasting', entrypoint: ['/bin/sleep'], command: ['600'] });
    const before = await statusOf('lasting', 'running');
    client.close();
    await home.killDaemon();
    client = await home.start();
    await client.vms.wait('lasting', { for: 'agent', timeoutMs: 20_000 });
    assert.deepEqual(await statusOf('lasting', 'running'), before);
    await remove('lasting');
  });

  for (const crashAt of ['wait-for-agent:after', 'after-start:before', 'commit:before']) {
    it(`a daemon killed at ${crashAt} of a start leaves a VM whose service runs`, async () => {
      await create({ name: 'cut', entrypoint: ['/bin/sleep'], command: ['600'], start: false });
      client.close();
      await (await home.start()).stopDaemon();
      await home.daemonGone();
      const doomed = await home.start({ crashAt });
      await assert.rejects(doomed.vms.start('cut').then((start) => start.result()));
      doomed.close();
      await home.daemonGone();
      client = await home.start();
      await client.vms.wait('cut', { for: 'agent', timeoutMs: 20_000 });
      const { starts } = await pollUntil(
        async () => {
          const status = await client.vms.service('cut').catch(() => undefined);
          return status?.state === 'running' ? status : undefined;
        },
        { signal: AbortSignal.timeout(20_000) },
      );
      assert.equal(starts, 1);
      await remove('cut');
    });
  }
});
