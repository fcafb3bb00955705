import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { findProgram } from '#host/find-program.ts';
import { push, skip, startRegistry } from '../integration/oci/debian-registry.ts';
import { makeImage } from '../integration/oci/tiny-image.ts';
import { createMachineHome } from '../support/artifacts.ts';
import { file, folder, symlink, tarOf } from '../support/layer-tar.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '256M', '--vcpu', '1', '--no-network'];
const CONFIG = { Entrypoint: ['/bin/sh', '-c'], Cmd: ['cat /etc/version'], Env: ['PATH=/bin'] };
const data = randomBytes(3 * 2 ** 20 + 17);
const dataSum = createHash('sha256').update(data).digest('hex');

describe('an image that only a registry has', { skip, timeout: 180_000 }, () => {
  const cleanUps: (() => Promise<void>)[] = [];
  let home: TestHome;
  let reference: string;
  let base: Buffer;

  const pushVersion = (version: string) => {
    const top = tarOf(folder('etc/'), file('etc/version', `${version}\n`), file('etc/.wh.old', ''));
    return push([makeImage([base, top], { config: CONFIG })], reference);
  };

  before(async () => {
    home = await createMachineHome();
    cleanUps.push(() => home[Symbol.asyncDispose]());
    const busybox = await findProgram('busybox', process.env['PATH'] ?? '');
    assert.ok(busybox);
    base = tarOf(
      folder('bin/'),
      file('bin/busybox', await readFile(busybox), { mode: 0o755 }),
      ...['sh', 'cat', 'ls', 'sha256sum'].map((name) => symlink(`bin/${name}`, 'busybox')),
      folder('etc/'),
      file('etc/old', 'of the first layer'),
      file('data', data),
    );
    const registry = await startRegistry({ after: (cleanUp) => cleanUps.push(cleanUp) });
    reference = `${registry}/acme/tool:latest`;
    await pushVersion('one');
    await home.succeed(['image', 'pull', reference, '--insecure-http', '--size', '64M', '--name', 'tool']);
  });
  after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  const run = async (...words: string[]) =>
    (await home.succeed(['vm', 'run', '--rm', '--image', 'tool', ...SMALL, ...words])).text;

  it('boots, and runs what the image is there to run', async () => {
    assert.equal(await run(), 'one');
  });

  it('has the files of all its layers, and none that a layer took away', async () => {
    const text = await run('--', 'sha256sum /data; ls /etc; ls -l /bin/sh');
    assert.match(text, new RegExp(`^${dataSum} {2}/data$`, 'm'));
    assert.match(text, /^version$/m);
    assert.doesNotMatch(text, /^old$/m);
    assert.match(text, /bin\/sh -> busybox$/m);
  });

  it('whose newer version shares a layer is that version, and a VM of the older one stays as it is', async () => {
    await home.succeed(['vm', 'create', '--no-start', '--name', 'older', '--image', 'tool', ...SMALL]);
    await pushVersion('two');
    await home.succeed(['image', 'pull', reference, '--insecure-http', '--name', 'tool']);
    assert.match(await run('--', 'cat /etc/version; sha256sum /data'), new RegExp(`^two\n${dataSum} `));
    await home.succeed(['vm', 'start', 'older']);
    const { text } = await home.succeed(['vm', 'exec', 'older', '--', 'cat', '/etc/version']);
    assert.equal(text, 'one');
    await home.succeed(['vm', 'delete', '--force', 'older']);
  });
});
