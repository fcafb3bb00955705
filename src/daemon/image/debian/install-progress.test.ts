import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InstallProgress } from './install-progress.ts';

function listen() {
  const heard: string[] = [];
  const progress = new InstallProgress({
    detail: (text) => heard.push(text),
    progress: (done, total, unit) => heard.push(`${done}/${total} ${unit}`),
  });
  return { heard, feed: (...lines: string[]) => lines.map((line) => progress.take(line)) };
}

test('follows lists, download and installation', () => {
  const { heard, feed } = listen();
  feed(
    'I: running apt-get update...',
    'Get:5 http://mirror.example/debian bookworm/main amd64 Packages [8790 kB]',
    'I: downloading packages with apt...',
    '0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.',
    'Need to get 3969 kB of archives.',
    'Get:1 http://mirror.example/debian bookworm/main amd64 libc6 amd64 2.36 [2759 kB]',
    'Get:2 http://mirror.example/debian bookworm/main amd64 busybox amd64 1:1.35 [1,210 kB]',
    'I: extracting archives...',
    'I: installing essential packages...',
    'Setting up libc6:amd64 (2.36) ...',
    'Setting up busybox (1:1.35) ...',
    'I: creating tarball...',
  );
  assert.deepEqual(heard, [
    'fetching package lists',
    'downloading packages',
    '2759000/3969000 bytes',
    '3969000/3969000 bytes',
    'unpacking the base system',
    'installing the base system',
    'installing packages 1/2',
    '1/2 items',
    'installing packages 2/2',
    '2/2 items',
    'packing the files',
  ]);
});

test('counts the second round from its own beginning', () => {
  const { heard, feed } = listen();
  feed(
    'I: installing remaining packages inside the chroot...',
    '0 upgraded, 97 newly installed, 0 to remove and 0 not upgraded.',
    'Need to get 40.8 MB/52.1 MB of archives.',
    'Setting up kmod (30) ...',
  );
  assert.deepEqual(heard, ['downloading packages', 'installing packages 1/97', '1/97 items']);
});

test('says when a package file was asked for, lists do not count', () => {
  const { feed } = listen();
  assert.deepEqual(
    feed(
      'Get:1 http://mirror.example/debian bookworm InRelease [151 kB]',
      'I: downloading packages with apt...',
      'Get:1 http://mirror.example/debian bookworm/main amd64 libc6 amd64 2.36 [2759 kB]',
      'Unpacking libc6:amd64 (2.36) ...',
    ),
    [false, false, true, false],
  );
});
