import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cruise } from './support/cruise.ts';
import { repositoryFiles, ROOT } from './support/repository.ts';
import { SnippetTree } from './support/snippet-tree.ts';

interface Case {
  from: string;
  to: string;
  /** The rule that must object; undefined when the import is fine. */
  rule?: string;
  /** `value` unless given. */
  by?: 'type' | 'dynamic';
}

const CASES: readonly Case[] = [
  { from: 'src/base/up.ts', to: '#contract/some.ts', rule: 'not-in-allowed' },
  { from: 'src/base/up-by-type.ts', to: '#contract/some.ts', by: 'type', rule: 'not-in-allowed' },
  { from: 'src/base/impure.ts', to: 'node:fs', rule: 'not-in-allowed' },
  { from: 'src/base/package.ts', to: 'zod', rule: 'not-in-allowed' },
  { from: 'src/contract/fine.ts', to: 'zod' },
  { from: 'src/contract/impure.ts', to: 'node:path', rule: 'not-in-allowed' },
  { from: 'src/config/fine.ts', to: 'smol-toml' },
  { from: 'src/config/down.ts', to: '#contract/some.ts' },
  { from: 'src/config/impure.ts', to: 'node:fs', rule: 'not-in-allowed' },
  { from: 'src/config/sideways.ts', to: '#host/some.ts', rule: 'not-in-allowed' },
  { from: 'src/host/fine.ts', to: 'node:child_process' },
  { from: 'src/host/package.ts', to: 'execa' },
  { from: 'src/host/up.ts', to: '#contract/some.ts', rule: 'not-in-allowed' },
  { from: 'src/sdk/sideways.ts', to: '#host/some.ts', rule: 'not-in-allowed' },
  { from: 'src/cli/fine.ts', to: '#sdk/some.ts' },
  { from: 'src/cli/settings.ts', to: '#config/some.ts' },
  { from: 'src/cli/shortcut.ts', to: '#daemon/some.ts', rule: 'not-in-allowed' },
  { from: 'src/cli/package.ts', to: 'fastify', rule: 'not-in-allowed' },
  { from: 'src/cli/spawn.ts', to: 'node:child_process', rule: 'spawn-only-in-host' },
  { from: 'src/daemon/vm/spawn.ts', to: 'execa', rule: 'spawn-only-in-host' },
  { from: 'src/store/fine.ts', to: 'node:sqlite' },
  { from: 'src/store/up.ts', to: '#hypervisor/port.ts', rule: 'not-in-allowed' },
  { from: 'src/daemon/vm/sql.ts', to: 'node:sqlite', rule: 'sqlite-only-in-store' },
  { from: 'src/disk/fine.ts', to: '#ext4/some.ts' },
  { from: 'src/hypervisor/sideways.ts', to: '#disk/port.ts', rule: 'not-in-allowed' },
  { from: 'src/network/sideways.ts', to: '#guest/port.ts', rule: 'not-in-allowed' },
  { from: 'src/hypervisor/down.ts', to: './qemu/driver.ts', rule: 'port-does-not-know-its-drivers' },
  { from: 'src/hypervisor/qemu/twin.ts', to: '../other/driver.ts', rule: 'drivers-do-not-know-each-other' },
  { from: 'src/hypervisor/qemu/fine.ts', to: '../port.ts' },
  { from: 'src/hypervisor/qemu/suite.ts', to: '../conformance.ts', rule: 'no-conformance-outside-tests' },
  { from: 'src/hypervisor/qemu/fine.test.ts', to: '../conformance.ts' },
  { from: 'src/daemon/daemon.ts', to: '#hypervisor/qemu/driver.ts' },
  { from: 'src/daemon/compose-some.ts', to: '#hypervisor/qemu/driver.ts' },
  {
    from: 'src/daemon/vm/concrete.ts',
    to: '#hypervisor/qemu/driver.ts',
    rule: 'drivers-only-in-the-composition-root',
  },
  {
    from: 'src/daemon/vm/concrete-later.ts',
    to: '#hypervisor/qemu/driver.ts',
    by: 'dynamic',
    rule: 'drivers-only-in-the-composition-root',
  },
  { from: 'src/daemon/vm/fake.ts', to: '#hypervisor/fake/fake.ts', rule: 'no-fakes-outside-tests' },
  { from: 'src/daemon/vm/fine.test.ts', to: '#hypervisor/fake/fake.ts' },
  { from: 'src/daemon/vm/value.ts', to: '../image/service.ts', rule: 'services-share-types-only' },
  { from: 'src/daemon/vm/type.ts', to: '../image/service.ts', by: 'type' },
  { from: 'src/daemon/http/handler.ts', to: '../image/service.ts' },
  { from: 'src/daemon/http/root.ts', to: '../daemon.ts', rule: 'nobody-imports-the-composition-root' },
  { from: 'src/bin/bangerd.ts', to: '#daemon/daemon.ts' },
  { from: 'src/bin/banger.ts', to: '#daemon/some.ts', rule: 'not-in-allowed' },
  { from: 'src/privileged/fine.ts', to: '#contract/root/some.ts' },
  { from: 'src/privileged/api.ts', to: '#contract/owner/some.ts', rule: 'privileged-sees-its-contract-only' },
  { from: 'src/newcomer/some.ts', to: '../base/some.ts', rule: 'not-in-allowed' },
  { from: 'src/base/testing.ts', to: '../../test/support/some.ts', rule: 'no-test-code-in-src' },
  { from: 'src/base/fine.test.ts', to: '../../test/support/some.ts' },
  { from: 'src/base/circle.ts', to: './circle-too.ts', by: 'type' }, // a cycle is told once
  { from: 'src/base/circle-too.ts', to: './circle.ts', by: 'type', rule: 'no-cycles' },
  { from: 'src/base/lost.ts', to: './nowhere.ts', rule: 'no-unresolvable' },
];

const TARGETS = [
  ...['base', 'config', 'contract', 'contract/owner', 'contract/root', 'host', 'sdk', 'daemon', 'ext4'].map(
    (folder) => `src/${folder}/some.ts`,
  ),
  ...['hypervisor', 'disk', 'guest'].map((folder) => `src/${folder}/port.ts`),
  ...['conformance.ts', 'qemu/driver.ts', 'other/driver.ts', 'fake/fake.ts'].map(
    (file) => `src/hypervisor/${file}`,
  ),
  'src/daemon/image/service.ts',
  'test/support/some.ts',
];

test('no import of this repository breaks a layer rule', () => {
  const { modules, summary } = cruise(ROOT);
  const lines = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  assert.deepEqual([...new Set(lines)], []);

  const seen = modules.map(({ source }) => source);
  const missed = repositoryFiles('.ts').filter((path) => !seen.includes(path));
  assert.deepEqual(missed, [], 'these files were not looked at');
  const edges = modules.flatMap(({ dependencies }) => dependencies);
  assert.ok(edges.length > seen.length / 2, `only ${edges.length} imports were seen in ${seen.length} files`);
});

test('each layer rule objects to its violation, and to nothing else', () => {
  const files = new Map(
    TARGETS.map((path) => [path, 'export const some = 1;\nexport type Some = number;\n']),
  );
  for (const one of CASES) files.set(one.from, snippet(one));
  using tree = new SnippetTree(files);
  const { violations } = cruise(tree.folder).summary;
  const found = CASES.map(({ from }) => ({
    from,
    rules: [
      ...new Set(violations.filter((violation) => violation.from === from).map(({ rule }) => rule.name)),
    ],
  }));
  const problems = CASES.flatMap(({ from, rule }, index) => {
    const rules = found[index]?.rules ?? [];
    const isRight = rule === undefined ? rules.length === 0 : rules.includes(rule);
    return isRight ? [] : [`${from}: expected ${rule ?? 'nothing'}, got ${rules.join(' ') || 'nothing'}`];
  });
  assert.deepEqual(problems, []);
});

function snippet({ to, by }: Case): string {
  if (by === 'dynamic') return `export const some = await import('${to}');\n`;
  if (by === 'type') return `export type { Some } from '${to}';\n`;
  const isLocal = /^[.#]/.test(to);
  return isLocal
    ? `import { some } from '${to}';\nexport const more = some;\n`
    : `import * as some from '${to}';\nexport const more = some;\n`;
}
