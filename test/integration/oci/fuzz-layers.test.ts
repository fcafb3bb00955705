import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fuzzLayers } from '../../fuzz/fuzz-layers.ts';

test('random layers for a minute: each is merged soundly or refused with a code', async (context) => {
  const seed = randomInt(2 ** 30);
  context.diagnostic(`seed ${seed}`);
  const report = await fuzzLayers({ seed, forMs: 60_000 });
  context.diagnostic(JSON.stringify(report));
  // Not all of one kind: then the generator would have lost its point.
  assert.ok(report.merged > 20 && report.refused > 20, JSON.stringify(report));
});
