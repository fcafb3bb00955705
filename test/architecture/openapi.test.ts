import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { generateOpenApi } from '#daemon/http/openapi.ts';

it('docs/openapi.json is what the routes say', async () => {
  const committed = readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8');
  const current = await generateOpenApi();
  assert.ok(Object.keys((JSON.parse(current) as { paths: object }).paths).length > 10);
  assert.equal(committed, current, 'run: node scripts/generate-openapi.ts');
});
