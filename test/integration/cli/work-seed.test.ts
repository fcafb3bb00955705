import assert from 'node:assert/strict';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { run } from '../image/ext4-entry.ts';
import { runBanger } from './run-banger.ts';

const MAKE_ROOT = `
set -eu
cd "$1"
mkdir -p root/root
echo hello > root/root/hello
tar -cf r.tar -C root .
ssh-keygen -q -t ed25519 -N '' -C me -f key
`;

describe('work seeds', () => {
  let home: FakeDaemonHome;
  before(async () => {
    home = await FakeDaemonHome.create();
    await run('sh', ['-c', MAKE_ROOT, 'sh', home.root]);
    (await home.start()).close();
    await banger('image', 'import', join(home.root, 'r.tar'), '--name', 'mine', '--size', '64M');
  });
  after(() => home[Symbol.asyncDispose]());

  const banger = (...args: string[]) => runBanger(home, args);
  const show = async () => JSON.parse((await banger('image', 'show', '--json', 'mine')).text);
  const folder = () => join(home.layout.imagesDir, 'work-seeds');

  test('are made, shown, counted, made anew for a key, and go with the image', async () => {
    const before = await show();
    assert.equal(before.workSeed, null);
    assert.match((await banger('image', 'show', 'mine')).text, /^work seed +not made yet$/m);

    const made = await banger('image', 'seed', 'mine');
    assert.equal(made.text, 'mine', made.stderr);
    assert.match(made.stderr, /^ {2}(begin|read home|make file system)$/m);
    const seeded = await show();
    assert.ok(seeded.allocatedBytes >= before.allocatedBytes + seeded.workSeed.allocatedBytes);
    assert.equal(seeded.workSeed.keyFingerprint, undefined);

    const withKey = await banger('image', 'seed', 'mine', '--json', '--key', join(home.root, 'key.pub'));
    const { keyFingerprint, virtualBytes } = JSON.parse(withKey.text);
    assert.match(keyFingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
    assert.equal(virtualBytes, 512 * 2 ** 20);
    const { text } = await banger('image', 'show', 'mine');
    assert.ok(text.includes(`key ${keyFingerprint}`), text);
    const [id, ...others] = await readdir(folder());
    assert.deepEqual(others, []);
    const authorized = ['-R', 'cat .ssh/authorized_keys', join(folder(), id ?? '', 'home.ext4')];
    assert.match((await run('debugfs', authorized)).stdout, /^ssh-ed25519 \S+ me\n$/);

    const partial = join(folder(), '.abcdefabcdef.partial');
    const unused = join(folder(), 'abcdefabcdef');
    for (const path of [partial, unused]) await mkdir(path);
    const found = await banger('fsck');
    assert.match(found.text, /the building of a work seed was cut off/);
    assert.match(found.text, /its image is gone, or has a newer work seed/);
    await banger('fsck', '--repair');
    assert.deepEqual(await readdir(folder()), [id]);

    await banger('image', 'delete', 'mine');
    assert.deepEqual(await readdir(folder()), []);
  });

  test('of what is not there, or with what is no public key, are refused', async () => {
    const none = await banger('image', 'seed', 'nowhere');
    assert.equal(none.status, 3);
    assert.match(none.stderr, /\[IMAGE_NOT_FOUND\]\nhint:/);
    const large = join(home.root, 'large');
    await writeFile(large, '');
    await truncate(large, 2 ** 40);
    await banger('image', 'import', join(home.root, 'r.tar'), '--name', 'other', '--size', '64M');
    for (const [path, message] of [
      [join(home.root, 'key'), /it is a private key \[PUBLIC_KEY_INVALID\]\nhint: .*key\.pub/],
      [join(home.root, 'r.tar'), /\[PUBLIC_KEY_INVALID\]\nhint:/],
      [join(home.root, 'none'), /\[PUBLIC_KEY_INVALID\]\nhint:/],
      [large, /it is too long for a public key \[PUBLIC_KEY_INVALID\]/],
      [home.root, /it is not a file \[PUBLIC_KEY_INVALID\]/],
    ] as const) {
      const { status, stderr, text } = await banger('image', 'seed', 'other', '--key', path);
      assert.deepEqual([status, text], [3, ''], path);
      assert.match(stderr, message);
    }
    assert.equal(await readdir(folder()).then((names) => names.length), 0);
  });
});
