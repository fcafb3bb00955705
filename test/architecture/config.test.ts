import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatValue } from '#config/command-line.ts';
import { describeKey, KEY_NAMES } from '#config/keys.ts';
import { Settings } from '#config/layers.ts';
import { tableRows } from './support/markdown.ts';
import { readRepositoryFile } from './support/repository.ts';

const PAGE = readRepositoryFile('docs/config.md');

test('docs/config.md describes every key as the code does', () => {
  const rows = KEY_NAMES.map((name) => {
    const { takes, fallback, otherwise = '', description } = describeKey(name);
    return [
      `\`${name}\``,
      takes,
      fallback === undefined ? otherwise : `\`${formatValue(fallback)}\``,
      description,
    ];
  });
  assert.deepEqual(tableRows(PAGE), rows);
});

test('the example of docs/config.md is a file that works', () => {
  const example = /```toml\n([^]*?)```/.exec(PAGE)?.[1];
  assert.ok(example);
  const settings = Settings.read({
    user: { path: 'docs/config.md', text: example },
    system: { path: 'none', text: undefined },
  });
  assert.ok(settings.list().some(({ source }) => source === 'user'));
});
