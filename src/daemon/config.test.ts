import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUserError, type UserError } from '#contract/errors.ts';
import { readConfig, type Config } from './config.ts';

interface Files {
  user?: string;
  system?: string;
}

async function read(files: Files, environment: NodeJS.ProcessEnv = {}): Promise<Config> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-config-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text as string);
  return await readConfig(pathsIn(folder.path), environment);
}

function pathsIn(folder: string) {
  return { configPath: join(folder, 'user'), systemConfigPath: join(folder, 'system') };
}

async function refusalOf(files: Files, environment: NodeJS.ProcessEnv = {}): Promise<UserError> {
  try {
    await read(files, environment);
  } catch (error) {
    if (isUserError(error, 'CONFIG_INVALID')) return error;
    throw error;
  }
  return assert.fail(`accepted: ${JSON.stringify(files)}`);
}

test('no file and an empty one are the same', async () => {
  assert.deepEqual(await read({}), await read({ user: '', system: '# nothing\n' }));
});

test("the user's file wins over the system's, key by key", async () => {
  const config = await read({
    user: 'agent_timeout = "30s"',
    system: 'agent_timeout = "60s"\naccelerator = "tcg"',
  });
  assert.equal(config.agentTimeoutMs, 30_000);
  assert.equal(config.accelerator, 'tcg');
});

test('BANGER_LOG_LEVEL wins over the files; empty, it says nothing', async () => {
  const files = { user: 'log_level = "warn"' };
  assert.equal((await read(files, { BANGER_LOG_LEVEL: 'error' })).logLevel, 'error');
  assert.equal((await read(files, { BANGER_LOG_LEVEL: '' })).logLevel, 'warn');
});

test('a wrong BANGER_LOG_LEVEL is blamed on the variable, not on a file', async () => {
  const { message, hint } = await refusalOf({}, { BANGER_LOG_LEVEL: 'loud' });
  assert.match(message, /BANGER_LOG_LEVEL "loud"/);
  assert.doesNotMatch(message, /folder|system|user/);
  assert.match(hint ?? '', /debug, info, warn, error/);
});

test('a right BANGER_LOG_LEVEL does not excuse a wrong file', async () => {
  const { message } = await refusalOf({ system: 'log_level = "loud"' }, { BANGER_LOG_LEVEL: 'info' });
  assert.match(message, /system": "log_level"/);
});

test('a file that cannot be read is not taken for a missing one', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-config-'));
  await mkdir(join(folder.path, 'user'));
  await assert.rejects(readConfig(pathsIn(folder.path), {}), { code: 'EISDIR' });
});
