import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  ECHO_PROGRAM,
  SmallClone,
  type LaunchOptions,
  type LaunchResult,
} from '../../support/small-clone.ts';

async function launchWell(clone: SmallClone, options?: LaunchOptions): Promise<LaunchResult> {
  const result = await clone.launch(options);
  assert.equal(result.status, 0, result.stderr);
  return result;
}

test('the first call sets up, the second is silent and starts no other process', async () => {
  using clone = new SmallClone();
  const first = await launchWell(clone);
  assert.equal(first.stdout, 'hello');
  assert.match(first.stderr, /^set-up: bundle \.\.\.\nset-up: bundle done in [\d.]+ s\n$/);
  // Without a PATH only the shell's own commands work.
  const second = await launchWell(clone, { env: { PATH: '' } });
  assert.deepEqual(second, { status: 0, stdout: 'hello', stderr: '' });
});

test('words arrive as they are, and only a first --yes is the launcher’s', async () => {
  using clone = new SmallClone();
  const words = ['a b', '', '--', '--yes', '$HOME', '*', "'"];
  const { stdout } = await launchWell(clone, { args: ['--yes', ...words] });
  assert.deepEqual(stdout.split('\n'), ['hello', ...words]);
});

describe('it works', () => {
  test('in a folder with an odd name, called by its absolute and its relative path', async () => {
    using clone = new SmallClone('-it\'s "$HOME" \n ünd;&*');
    assert.equal((await launchWell(clone)).stdout, 'hello');
    assert.equal((await launchWell(clone, { command: './banger' })).stdout, 'hello');
    const below = join(clone.folder, 'src');
    assert.equal((await launchWell(clone, { command: '../banger', cwd: below })).stdout, 'hello');
    assert.equal((await launchWell(clone, { command: 'sh', args: ['banger'] })).stdout, 'hello');
  });

  test('through a symlink in the PATH', async () => {
    using clone = new SmallClone();
    const bin = join(clone.folder, 'some bin');
    mkdirSync(bin);
    symlinkSync('../banger', join(bin, 'banger'));
    const PATH = `${bin}:${process.env['PATH']}`;
    const { stdout } = await launchWell(clone, { command: 'banger', cwd: '/', env: { PATH } });
    assert.equal(stdout, 'hello');
  });

  test('without a home folder, and with a cache folder that cannot be made', async () => {
    using clone = new SmallClone();
    await launchWell(clone);
    for (const env of [{ HOME: undefined }, { HOME: '/dev/null' }, { XDG_CACHE_HOME: 'relative' }]) {
      assert.deepEqual(await launchWell(clone, { env }), { status: 0, stdout: 'hello', stderr: '' });
    }
  });

  test('in a linked worktree', async () => {
    using clone = new SmallClone();
    clone.git('worktree', 'add', '--quiet', 'tree');
    const tree = join(clone.folder, 'tree');
    mkdirSync(join(tree, '.runtime'));
    symlinkSync(join(clone.folder, '.runtime/bin'), join(tree, '.runtime/bin'));
    symlinkSync(join(clone.folder, 'node_modules'), join(tree, 'node_modules'));
    const command = join(tree, 'banger');
    assert.match((await launchWell(clone, { command })).stderr, /bundle/);
    assert.equal((await launchWell(clone, { command, env: { PATH: '' } })).stderr, '');
  });
});

describe('what is stale', () => {
  test('sources that changed with the index are built again', async () => {
    using clone = new SmallClone();
    await launchWell(clone);
    clone.write('src/bin/banger.ts', ECHO_PROGRAM.replace('hello', 'changed'));
    clone.commit();
    const { stdout, stderr } = await launchWell(clone);
    assert.equal(stdout, 'changed');
    assert.match(stderr, /set-up: bundle/);
    assert.equal((await launchWell(clone)).stderr, '');
  });

  test('an index without changed sources only renews the stamp', async () => {
    using clone = new SmallClone();
    await launchWell(clone);
    const builtAt = statSync(join(clone.folder, 'dist/banger.cjs')).mtimeMs;
    clone.write('notes.md', 'x');
    clone.git('add', 'notes.md');
    assert.deepEqual(await launchWell(clone), { status: 0, stdout: 'hello', stderr: '' });
    assert.equal(statSync(join(clone.folder, 'dist/banger.cjs')).mtimeMs, builtAt);
    assert.equal((await launchWell(clone, { env: { PATH: '' } })).stdout, 'hello');
  });

  test('the commit is stamped on the bundle', async () => {
    using clone = new SmallClone();
    clone.write(
      'src/bin/banger.ts',
      'console.log(__BANGER_COMMIT__, __BANGER_VERSION__, __BANGER_BUILT_AT__);\n',
    );
    clone.commit();
    const { stdout } = await launchWell(clone);
    const commit = clone.git('rev-parse', '--short=12', 'HEAD');
    assert.match(stdout, new RegExp(`^${commit} \\d+\\.\\d+\\.\\d+ \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\n$`));
  });
});

test('the compile cache is private', async () => {
  using clone = new SmallClone();
  const cache = join(clone.folder, 'cache');
  mkdirSync(cache);
  await launchWell(clone, { env: { XDG_CACHE_HOME: cache } });
  assert.equal(statSync(join(cache, 'banger')).mode & 0o777, 0o700);
  assert.equal(statSync(join(cache, 'banger/compile')).mode & 0o777, 0o700);
});

test('a program that fails passes its status on', async () => {
  using clone = new SmallClone();
  appendFileSync(join(clone.folder, 'src/bin/banger.ts'), 'process.exit(42);\n');
  assert.equal((await clone.launch()).status, 42);
  assert.ok(readFileSync(join(clone.folder, 'dist/ready')));
});
