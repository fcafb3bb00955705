import assert from 'node:assert/strict';
import { chmod, copyFile, cp, link, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureArtifacts } from '../support/artifacts.ts';
import { runProcess } from '../support/run-process.ts';
import { findOutsideAddress, TcpUdpService } from '../support/tcp-udp-service.ts';
import { REPOSITORY, TestHome } from '../support/test-home.ts';

const USER = 'banger-test-user';
/** What an installation consists of. */
const INSTALLED = ['package.json', 'dist', 'agent/build/banger-agent', 'native/build'];

const skip = process.getuid?.() === 0 ? false : 'needs root, to make a user';

describe('an ordinary user', { skip }, () => {
  let home: TestHome;
  let place: string;

  before(async () => {
    const state = await ensureArtifacts();
    await mustRun('useradd', ['--no-create-home', '--user-group', USER]);
    const owner = await identityOf(USER);
    place = await mkdtemp(join(tmpdir(), 'bgr-inst-'));
    await chmod(place, 0o755);
    home = await TestHome.create({ owner, installation: await install(place) });
    await mustRun('cp', ['-a', '--sparse=always', `${state}/.`, home.layout.stateDir]);
    await mustRun('chown', ['-R', `${owner.uid}:${owner.gid}`, home.layout.stateDir]);
  });
  after(async () => {
    try {
      await home[Symbol.asyncDispose]();
    } finally {
      await mustRun('userdel', [USER]);
      await rm(place, { recursive: true, force: true });
    }
  });

  it('runs a VM without any right of root', async () => {
    const { text } = await home.succeed([
      'vm',
      'run',
      '--name',
      'mine',
      '--memory',
      '512M',
      '--vcpu',
      '1',
      '--',
      'id',
      '-un',
    ]);
    assert.equal(text, 'root', 'root is who one is in the guest');
    const { pid } = JSON.parse((await home.succeed(['vm', 'show', '--json', 'mine'])).text) as {
      pid: number;
    };
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const { uid } = await identityOf(USER);
    assert.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'));
    assert.match(status, /^CapEff:\t0+$/m);
  });

  it('reaches the outside from the guest, and stops and starts it', async () => {
    const outside = findOutsideAddress();
    assert.ok(outside !== undefined, 'needs a network interface besides loopback');
    await using service = await TcpUdpService.listen(outside, 'OUTSIDE');
    const fetch = `timeout 3 head -c 100 < /dev/tcp/${outside}/${service.port}`;
    assert.match((await home.succeed(['vm', 'exec', 'mine', '--', 'bash', '-c', fetch])).text, /OUTSIDE/);
    await home.succeed(['vm', 'stop', 'mine']);
    await home.succeed(['vm', 'start', 'mine']);
    await home.succeed(['vm', 'delete', '--force', 'mine']);
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
  });

  it('keeps everything it makes to itself', async () => {
    const open = await runProcess('find', [
      home.layout.stateDir,
      home.layout.runtimeDir,
      '-perm',
      '/077',
      '!',
      '-type',
      'l',
    ]);
    const own = open.text
      .split('\n')
      .filter((path) => !/rootfs\.ext4|vmlinuz|modules|initramfs|^$/.test(path));
    assert.deepEqual(own, []);
  });
});

/** A copy that the user can read, wherever the repository lies. */
async function install(folder: string): Promise<{ node: string; cli: string }> {
  for (const name of INSTALLED) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await cp(join(REPOSITORY, name), join(folder, name), { recursive: true });
  }
  const node = join(folder, 'node');
  await link(process.execPath, node).catch(() => copyFile(process.execPath, node));
  await mustRun('chmod', ['-R', 'a+rX', folder]);
  return { node, cli: join(folder, 'dist/banger.cjs') };
}

async function identityOf(name: string): Promise<{ uid: number; gid: number }> {
  const { text } = await runProcess('getent', ['passwd', name]);
  const fields = text.split(':');
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

async function mustRun(file: string, args: readonly string[]): Promise<void> {
  const { status, stderr } = await runProcess(file, args, { env: process.env });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}: ${stderr}`);
}
