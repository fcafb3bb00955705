import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SmallClone } from '../../support/small-clone.ts';

const SOURCES = {
  'src/bin/banger.ts': `
    import { util } from './early.ts';
    import { note } from './notes.ts';
    note('banger');
    const [name] = process.argv.slice(2);
    void run();
    async function run(): Promise<void> {
      if (name === 'a') await import('./a.ts');
      if (name === 'b') await import('./b.ts');
      if (name === 'schemas') note(String((await import('#contract/owner/vm.ts')).some));
      console.log((globalThis as { notes?: string[] }).notes?.join(' '), util);
    }
  `,
  'src/bin/notes.ts': `
    export function note(text: string): void {
      const all = globalThis as { notes?: string[] };
      (all.notes ??= []).push(text);
    }
  `,
  'src/bin/early.ts': `
    import { inspect } from 'node:util';
    import { note } from './notes.ts';
    note('early');
    export const util = typeof inspect;
  `,
  'src/bin/shared.ts':
    "import { note } from './notes.ts';\nimport * as z from 'zod';\nnote(`shared-${typeof z.string}`);\n",
  'src/bin/a.ts':
    "import './shared.ts';\nimport './early.ts';\nimport { note } from './notes.ts';\nnote('a');\n",
  'src/bin/b.ts': "import './shared.ts';\nimport { note } from './notes.ts';\nnote('b');\n",
};

test('in the bundle each module runs once, in order, and only when it is needed', async () => {
  using clone = new SmallClone();
  for (const [path, text] of Object.entries(SOURCES)) clone.write(path, text);
  const cases = [
    ['none', 'early banger function\n'],
    ['a', 'early banger shared-function a function\n'],
    ['b', 'early banger shared-function b function\n'],
    ['schemas', 'early banger 1 function\n'],
  ] as const;
  for (const [name, expected] of cases) {
    const { stdout, stderr } = await clone.launch({ args: [name] });
    assert.equal(stdout, expected, stderr);
  }
  const dist = join(clone.folder, 'dist');
  const files = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  assert.deepEqual(files.toSorted(), [
    'banger.cjs',
    'cli-vm-exec.cjs',
    'cli.cjs',
    'events.cjs',
    'machine.cjs',
    'schemas.cjs',
    'table.cjs',
    'zod.cjs',
  ]);
  // Requiring a module of Node's own costs more at each start than asking the process for it.
  const texts = files.map((name) => readFileSync(join(dist, name), 'utf8'));
  assert.ok(!texts.some((text) => /require\(["']node:/.test(text)));
});

const TREE = {
  'src/bin/banger.ts': `
    import { tree } from '../cli/commands/tree.ts';
    const [group, word] = process.argv.slice(2);
    void tree[[group, word].join(' ')]!().then((said) => console.log(said));
  `,
  'src/cli/commands/tree.ts': `
    export const tree: Record<string, () => Promise<string>> = {
      'vm exec': async () => (await import('./vm/exec.ts')).said,
      'vm list': async () => (await import('./vm/list.ts')).said,
    };
  `,
  'src/cli/commands/vm/exec.ts':
    "import { shared } from '../../shared.ts';\nexport const said = `exec ${shared}`;\n",
  'src/cli/commands/vm/list.ts':
    "import { shared } from '../../shared.ts';\nexport const said = `list ${shared}`;\n",
  'src/cli/shared.ts': "export const shared = 'shared';\n",
};

test('what is called most has a bundle without the other commands', async () => {
  using clone = new SmallClone();
  for (const [path, text] of Object.entries(TREE)) clone.write(path, text);
  for (const word of ['exec', 'list']) {
    const { stdout, stderr } = await clone.launch({ args: ['vm', word] });
    assert.equal(stdout, `${word} shared\n`, stderr);
  }
  const bundle = (name: string) => readFileSync(join(clone.folder, 'dist', name), 'utf8');
  assert.doesNotMatch(bundle('cli-vm-exec.cjs'), /list \$\{/);
  for (const word of ['exec', 'list']) assert.match(bundle('cli.cjs'), new RegExp(`${word} \\$\\{`));
});

const CACHED = `
  const [name, status] = process.argv.slice(2);
  console.log(\`ran \${name}\`);
  process.exit(Number(status ?? 0));
`;

test('what V8 compiled is kept for each command that succeeds, and made again when it is damaged or old', async () => {
  using clone = new SmallClone();
  clone.write('src/bin/banger.ts', CACHED);
  const cache = join(clone.folder, '../code');
  mkdirSync(cache);
  const env = { NODE_COMPILE_CACHE: cache };
  const run = async (...args: string[]) => {
    const { stdout, stderr, status } = await clone.launch({ args, env });
    assert.equal(stdout, `ran ${args[0]}\n`, stderr);
    return status;
  };
  const kept = () => readdirSync(cache).filter((name) => name.endsWith('.code'));
  const keptFor = (name: string) => kept().filter((file) => file.startsWith(`${name}-`));

  assert.equal(await run('failing', '3'), 3);
  assert.deepEqual(kept(), []);
  assert.equal(await run('list', '0'), 0);
  const [file] = keptFor('list');
  assert.ok(file);
  const path = join(cache, file);
  const { size, mtimeMs, mode } = statSync(path);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(await run('list', '0'), 0);
  assert.equal(statSync(path).mtimeMs, mtimeMs);

  for (const length of [0, 100, size - 1]) {
    truncateSync(path, length);
    assert.equal(await run('list', '0'), 0);
    assert.equal(statSync(path).size, size);
  }
  const longAgo = new Date('2020-01-01');
  utimesSync(path, longAgo, longAgo);
  assert.equal(await run('other', '0'), 0);
  assert.deepEqual([keptFor('list').length, keptFor('other').length], [0, 1]);
});

test('a cache that cannot be written changes nothing', async () => {
  using clone = new SmallClone();
  clone.write('src/bin/banger.ts', CACHED);
  for (const cache of ['/dev/null', join(clone.folder, 'package.json')]) {
    const result = await clone.launch({ args: ['list'], env: { NODE_COMPILE_CACHE: cache } });
    assert.deepEqual([result.status, result.stdout], [0, 'ran list\n'], result.stderr);
  }
});
