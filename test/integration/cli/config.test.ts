import assert from 'node:assert/strict';
import {
  mkdir,
  mkdtempDisposable,
  readFile,
  readlink,
  readdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runProcess, type ProcessResult } from '../../support/run-process.ts';
import { BANGER } from './run-banger.ts';

interface Home {
  root: string;
  path: string;
  banger: (...args: string[]) => Promise<ProcessResult>;
}

async function withHome(file: string | undefined, body: (home: Home) => Promise<void>): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bgr-config-'));
  const root = folder.path;
  const env = { PATH: process.env['PATH'], HOME: root, XDG_RUNTIME_DIR: join(root, 'run') };
  const path = join(root, '.config/banger/config.toml');
  if (file !== undefined) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file);
  }
  await body({ root, path, banger: (...args) => runProcess(process.execPath, [BANGER, ...args], { env }) });
}

test('set, get, show and unset, without a daemon', async () => {
  await withHome(undefined, async ({ root, path, banger }) => {
    assert.equal((await banger('config', 'path')).text, path);
    assert.deepEqual(JSON.parse((await banger('config', 'path', '--json')).text), { path });
    const set = await banger('config', 'set', 'vm_defaults.vcpu', '3');
    assert.deepEqual([set.status, set.text], [0, '']);
    assert.match(set.stderr, /counts from the daemon's next start: banger daemon stop\n$/);
    assert.equal(await readFile(path, 'utf8'), '[vm_defaults]\nvcpu = 3\n');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await banger('config', 'get', 'vm_defaults.vcpu')).text, '3');
    assert.match((await banger('config', 'show')).text, /^vm_defaults\.vcpu +3 +user$/m);
    const again = await banger('config', 'set', '--json', 'vm_defaults.vcpu', '3');
    assert.deepEqual(JSON.parse(again.text), { key: 'vm_defaults.vcpu', value: 3, changed: false, path });
    assert.equal((await banger('config', 'unset', 'vm_defaults.vcpu')).status, 0);
    assert.match((await banger('config', 'show')).text, /^vm_defaults\.vcpu +\d+ +(host|default)$/m);
    assert.deepEqual(await readdir(dirname(path)), ['config.toml']);
    assert.deepEqual(await readdir(root), ['.config'], 'nothing else was made');
  });
});

const OWN = '# my machine\nlog_level = "warn" # quiet\n\n[vm_defaults] # small\nvcpu = 2\n';

test('what people wrote stays as it is', async () => {
  await withHome(OWN, async ({ path, banger }) => {
    await banger('config', 'set', 'log_level', 'error');
    await banger('config', 'set', 'vm_defaults.disk_size', '16G');
    await banger('config', 'unset', 'vm_defaults.vcpu');
    const expected = OWN.replace('"warn"', '"error"').replace('vcpu = 2', 'disk_size = "16G"');
    assert.equal(await readFile(path, 'utf8'), expected);
  });
});

test('a variable that wins is shown', async () => {
  await withHome(OWN, async ({ root }) => {
    const env = { HOME: root, BANGER_LOG_LEVEL: 'debug' };
    const { text } = await runProcess(process.execPath, [BANGER, 'config', 'show'], { env });
    assert.match(text, /^log_level +debug +environment$/m);
  });
});

test('a key that is none stops everything but its removal', async () => {
  await withHome('bridge_name = "br0"\nlog_level = "loud"\n', async ({ path, banger }) => {
    const show = await banger('config', 'show');
    assert.equal(show.status, 3);
    assert.match(show.stderr, /"bridge_name": there is no such key; "log_level": .*\[CONFIG_INVALID\]/);
    assert.match(show.stderr, /banger config unset bridge_name/);
    const unset = await banger('config', 'unset', 'bridge_name');
    assert.equal(unset.status, 0);
    assert.match(unset.stderr, /the daemon will not start yet: .*"log_level"/);
    const set = await banger('config', 'set', 'log_level', 'info');
    assert.doesNotMatch(set.stderr, /will not start/);
    assert.equal(await readFile(path, 'utf8'), 'log_level = "info"\n');
  });
});

test('a link is followed and stays one', async () => {
  await withHome(undefined, async ({ root, path, banger }) => {
    const target = join(root, 'dotfiles.toml');
    await writeFile(target, 'dns_port = 1\n');
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path);
    assert.equal((await banger('config', 'set', 'dns_port', '0')).status, 0);
    assert.equal(await readlink(path), target);
    assert.equal(await readFile(target, 'utf8'), 'dns_port = 0\n');
  });
});

test('what is no TOML, no file, or cannot be edited alone is refused and left as it is', async () => {
  await withHome('log_level = \n', async ({ path, banger }) => {
    const broken = await banger('config', 'set', 'dns_port', '0');
    assert.deepEqual(
      [broken.status, /line 1, column \d+.*\[CONFIG_INVALID\]/.test(broken.stderr)],
      [3, true],
    );
    await writeFile(path, 'vm_defaults = 5\n');
    assert.match((await banger('config', 'set', 'vm_defaults.vcpu', '2')).stderr, /\[CONFIG_NOT_EDITABLE\]/);
    assert.equal(await readFile(path, 'utf8'), 'vm_defaults = 5\n');
    assert.equal((await banger('config', 'unset', 'vm_defaults')).status, 0);
    assert.equal(await readFile(path, 'utf8'), '');
  });
  await withHome(undefined, async ({ path, banger }) => {
    await mkdir(path, { recursive: true });
    const folder = await banger('config', 'show');
    assert.deepEqual([folder.status, /EISDIR.*\[CONFIG_INVALID\]/.test(folder.stderr)], [3, true]);
  });
});

test('a link that leads nowhere is not replaced', async () => {
  await withHome(undefined, async ({ root, path, banger }) => {
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(root, 'gone/config.toml'), path);
    const result = await banger('config', 'set', 'dns_port', '0');
    assert.equal(result.status, 3);
    assert.match(
      result.stderr,
      /Cannot write the configuration .*\[CONFIG_NOT_WRITABLE\]\nhint: banger doctor/,
    );
    assert.deepEqual(await readdir(dirname(path)), ['config.toml']);
  });
});

test('keys are completed', async () => {
  await withHome(undefined, async ({ banger }) => {
    const { text } = await banger('complete', '--', 'config', 'get', 'vm_defaults.m');
    assert.equal(text.split('\t')[0], 'vm_defaults.memory_mib');
  });
});
