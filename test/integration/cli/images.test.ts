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
  const available = (await banger('image', 'list', '--available')).text;
  assert.match(available, /^NAME +HERE +KIND +FROM +CATALOG +DESCRIPTION$/m);
  assert.match(available, /^debian-bookworm +no +recipe +Debian none +built-in +zeros$/m);
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

test('image make-bundle prints what a catalog needs, and image import takes it back', async () => {
  await importTar('bundled');
  const path = join(home.root, 'bundled.tar.zst');
  const { text, stderr } = await banger('image', 'make-bundle', 'bundled', '-o', path, '--name', 'unbundled');
  const [first = '', ...rest] = text.split('\n');
  const entry = JSON.parse(rest.join('\n')) as { sha256: string; url: string };
  assert.equal(first, `sha256 ${entry.sha256}`, stderr);
  assert.equal(entry.url, 'bundled.tar.zst');
  const imported = await banger('image', 'import', path, '--sha256', entry.sha256);
  assert.equal(imported.text, 'unbundled', imported.stderr);
  const again = await banger('image', 'make-bundle', 'bundled', '-o', path, '--json');
  assert.match(again.stderr, /"code":"EXPORT_TARGET_TAKEN"/);
  const toStdout = await banger('image', 'make-bundle', 'bundled', '-o', '-');
  assert.deepEqual([toStdout.status, toStdout.text], [2, '']);
  const wrong = await banger('image', 'import', path, '--sha256', 'abc');
  assert.match(wrong.stderr, /is not 64 hexadecimal digits.*\nhint: sha256sum/);
  const nameless = await banger('image', 'import', join(home.root, 'r.tar'));
  assert.match(nameless.stderr, /the image needs a name.*\nhint: give --name/);
});

test('image build says what it cannot build', async () => {
  for (const [args, expected] of [
    [['https://example.org/app.git'], /is no folder of this machine.*\nhint: give the folder/],
    [[home.root], /it holds no Dockerfile.*\nhint: name the Dockerfile with --file/],
    [[home.root, '--build-arg', '=x'], /is no name.*\nhint: write --build-arg NAME=value/],
    [[home.root, '--builder', 'make'], /is not one of buildah, podman, docker/],
    [[home.root, '--platform', 'linux/s390x'], /VMs of this machine are.*\nhint: leave --platform out/],
  ] as const) {
    const { stderr, text } = await banger('image', 'build', ...args, '-t', 'built');
    assert.match(stderr, expected);
    assert.equal(text, '');
  }
});
