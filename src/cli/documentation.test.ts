import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateCliDocumentation } from './documentation.ts';

test('docs/cli.md is what the commands say', async () => {
  const committed = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');
  const current = await generateCliDocumentation();
  assert.match(current, /^### banger vm run$/m);
  assert.doesNotMatch(current, /default = false/);
  assert.equal(committed, current, 'run: node scripts/generate-cli-docs.ts');
});
