import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUserError, type UserError } from '#contract/errors.ts';
import { readConfig, type Config } from './config.ts';

const DEFAULTS: Config = {
  logLevel: 'info',
  accelerator: 'auto',
  agentTimeoutMs: 90_000,
  lifelessAfterMs: 20_000,
};

async function read(text: string, environment: NodeJS.ProcessEnv = {}): Promise<Config> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-config-'));
  await writeFile(join(folder.path, 'config.toml'), text);
  return await readConfig(folder.path, environment);
}

async function refusalOf(text: string, environment: NodeJS.ProcessEnv = {}): Promise<UserError> {
  try {
    await read(text, environment);
  } catch (error) {
    if (isUserError(error, 'CONFIG_INVALID')) return error;
    throw error;
  }
  return assert.fail(`accepted: ${text}`);
}

test('no file, no folder and an empty file are the defaults', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-config-'));
  assert.deepEqual(await readConfig(folder.path, {}), DEFAULTS);
  assert.deepEqual(await readConfig(join(folder.path, 'missing'), {}), DEFAULTS);
  assert.deepEqual(await read(''), DEFAULTS);
  assert.deepEqual(await read('# only a comment\n'), DEFAULTS);
});

test('every key is read', async () => {
  const text = 'log_level = "debug"\naccelerator = "tcg"\nagent_timeout = "1m30s"\n';
  assert.deepEqual(await read(text), {
    logLevel: 'debug',
    accelerator: 'tcg',
    agentTimeoutMs: 90_000,
    lifelessAfterMs: 20_000,
  });
});

test('BANGER_LOG_LEVEL wins over the file; empty, it says nothing', async () => {
  assert.equal((await read('log_level = "warn"', { BANGER_LOG_LEVEL: 'error' })).logLevel, 'error');
  assert.equal((await read('log_level = "warn"', { BANGER_LOG_LEVEL: '' })).logLevel, 'warn');
});

test('a wrong BANGER_LOG_LEVEL is blamed on the variable, not on the file', async () => {
  const { message, hint } = await refusalOf('', { BANGER_LOG_LEVEL: 'loud' });
  assert.match(message, /BANGER_LOG_LEVEL "loud"/);
  assert.doesNotMatch(message, /config\.toml/);
  assert.match(hint ?? '', /debug, info, warn, error/);
});

test('a right BANGER_LOG_LEVEL does not excuse a wrong file', async () => {
  assert.match((await refusalOf('log_level = "loud"', { BANGER_LOG_LEVEL: 'info' })).message, /"log_level"/);
});

test('what is wrong is named: the file, the key, on one line', async () => {
  const refused: [string, RegExp][] = [
    ['log_level = "loud"', /"log_level"/],
    ['accelerator = "hvf"', /"accelerator"/],
    ['agent_timeout = 90', /"agent_timeout": .*string/],
    ['agent_timeout = "soon"', /"agent_timeout": "soon" is not a duration/],
    ['agent_timeout = "0"', /"agent_timeout": "0" is not between/],
    ['agent_timeout = "999ms"', /not between/],
    ['agent_timeout = "25h"', /not between/],
    ['acelerator = "tcg"', /acelerator/],
    ['[vm]\nmemory = "1G"', /vm/],
  ];
  for (const [text, expected] of refused) {
    const { message, hint } = await refusalOf(text);
    assert.match(message, expected);
    assert.match(message, /^Cannot use the configuration ".*\/config\.toml": [^\n]+$/);
    assert.ok(hint);
  }
});

test('several mistakes are told at once', async () => {
  const { message } = await refusalOf('log_level = "loud"\nagent_timeout = "soon"');
  assert.match(message, /"log_level".*; "agent_timeout"/);
});

test('what is no TOML is refused with its line', async () => {
  const { message } = await refusalOf('log_level = "info"\naccelerator = auto\n');
  assert.match(message, /config\.toml": line 2, column \d+: [^\n]+$/);
});

test('a file that cannot be read is not taken for a missing one', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-config-'));
  await mkdir(join(folder.path, 'config.toml'));
  await assert.rejects(readConfig(folder.path, {}), { code: 'EISDIR' });
});
