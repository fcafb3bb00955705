import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { run } from '../image/ext4-entry.ts';
import { runBanger } from './run-banger.ts';

let home: FakeDaemonHome;
before(async () => {
  home = await FakeDaemonHome.create();
  await run('sh', [
    '-c',
    'cd "$1" && mkdir root && echo x > root/x && tar -cf r.tar -C root .',
    'sh',
    home.root,
  ]);
  (await home.start()).close();
});
after(() => home[Symbol.asyncDispose]());

const banger = (...args: string[]) => runBanger(home, args);
const importTar = (name: string) =>
  banger('image', 'import', join(home.root, 'r.tar'), '--name', name, '--size', '64M');

test('image import prints the name and the steps', async () => {
  const result = await importTar('mine');
  assert.equal(result.text, 'mine', result.stderr);
  assert.match(result.stderr, /^ {2}(read source|make file system)\n(.*\n)*done in \d/);
});

test('image import - reads stdin, and keeps nothing of it', async () => {
  const input = await readFile(join(home.root, 'r.tar'));
  const result = await runBanger(home, ['image', 'import', '-', '--name', 'piped', '--size', '64M'], {
    input,
  });
  assert.equal(result.text, 'piped', result.stderr);
  assert.deepEqual(
    (await readdir(home.layout.cacheDir)).filter((name) => name.startsWith('import-')),
    [],
  );
});

test('image list shows each name, --available what can be made', async () => {
  await importTar('listed');
  await banger('image', 'tag', 'listed', 'also:1');
  const { text } = await banger('image', 'list');
  assert.match(text, /^NAME +ID +KIND +ARCHITECTURE +SIZE +ON DISK +CREATED$/m);
  assert.match(text, /^listed +[0-9a-f]{12} +import +\S+ +64 MiB .* (just now|ago)$/m);
  assert.match(text, /^also:1 +[0-9a-f]{12} +import/m);
  assert.match((await banger('image', 'list', '--available')).text, /^debian-bookworm +no +zeros$/m);
});

test('image show tells where it came from', async () => {
  await importTar('shown');
  const { text } = await banger('image', 'show', 'shown');
  assert.match(text, /^kind +import$/m);
  assert.match(text, /^source +import:.*r\.tar$/m);
  const missing = await banger('image', 'show', 'shwn');
  assert.deepEqual([missing.status, missing.text], [3, '']);
  assert.match(missing.stderr, /\[IMAGE_NOT_FOUND\]\nhint: did you mean "shown"/);
});

test('image delete: a failure hides no other', async () => {
  await importTar('gone');
  const result = await banger('image', 'delete', 'nope', 'gone');
  assert.deepEqual([result.status, result.text], [3, 'gone']);
  assert.match(result.stderr, /\[IMAGE_NOT_FOUND\]/);
});

test('image export takes the format from the target', async () => {
  await importTar('exported');
  for (const [target, format] of [
    ['out.tar', 'tar'],
    ['layout', 'oci'],
  ] as const) {
    const path = join(home.root, target);
    const { text, stderr } = await banger('image', 'export', 'exported', path, '--json');
    assert.equal(stderr.includes('error'), false, stderr);
    assert.deepEqual(JSON.parse(text), { path, format });
  }
  assert.equal((await banger('image', 'export', 'exported', '-')).status, 2);
});

test('image cache prune says how much', async () => {
  assert.equal((await banger('image', 'cache', 'prune', '--dry-run')).text, 'would remove 0 files, 0 B');
});
