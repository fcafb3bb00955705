import assert from 'node:assert/strict';
import { chmod, chown, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { listenPrivately } from '#daemon/http/private-socket.ts';

describe('the socket', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banger-socket-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const modeOf = async (path: string) => ((await lstat(path)).mode & 0o777).toString(8);
  const refused = (path: string, message: RegExp) =>
    assert.rejects(listenPrivately(createServer(), path), { code: 'STATE_FOLDER_UNUSABLE', message });

  it('is 0600 in a folder 0700, whatever the mask', async () => {
    const path = join(folder, 'a', 'b', 'bangerd.sock');
    const server = createServer();
    const mask = process.umask(0);
    try {
      await listenPrivately(server, path);
      assert.equal(process.umask(), 0);
    } finally {
      process.umask(mask);
    }
    assert.equal(await modeOf(path), '600');
    assert.equal(await modeOf(join(folder, 'a', 'b')), '700');
    server.close();
  });

  it('tightens a folder that is there', async () => {
    const server = createServer();
    await chmod(folder, 0o755);
    await listenPrivately(server, join(folder, 'bangerd.sock'));
    assert.equal(await modeOf(folder), '700');
    server.close();
  });

  it('refuses a folder that is a link or a file', async () => {
    await mkdir(join(folder, 'real'));
    await symlink('real', join(folder, 'link'));
    await refused(join(folder, 'link', 'bangerd.sock'), /symbolic link/);
    await writeFile(join(folder, 'file'), '');
    await refused(join(folder, 'file', 'bangerd.sock'), /not a folder/);
  });

  it(
    'refuses a folder of somebody else',
    { skip: process.getuid?.() === 0 ? false : 'needs root' },
    async () => {
      await mkdir(join(folder, 'theirs'));
      await chown(join(folder, 'theirs'), 12_345, 12_345);
      await refused(join(folder, 'theirs', 'bangerd.sock'), /uid 12345/);
    },
  );

  it('refuses a path that no socket can have, and one that is taken', async () => {
    await refused(join(folder, 'x'.repeat(100), 'bangerd.sock'), /longer than 107 bytes/);
    await writeFile(join(folder, 'bangerd.sock'), '');
    await refused(join(folder, 'bangerd.sock'), /EADDRINUSE/);
  });
});
