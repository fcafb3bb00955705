import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { UserError } from '#contract/errors.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { keepHeaders } from '#oci/layers/layer-headers.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { mergeLayers, type MergedTar } from '#oci/layers/merge-layers.ts';
import { readMerged, writeLayer, type ReadMember } from '../support/layer-tar.ts';
import { assertSameFiles } from './assert-same-files.ts';
import { Random } from './random.ts';
import { randomCompression, randomTar } from './random-layer.ts';

export interface FuzzReport {
  merged: number;
  refused: number;
  entries: number;
}

/** It takes a hundred times as long as merging does. */
const FILE_SYSTEM_ONE_IN = 30;
const REFUSALS = ['IMAGE_LAYER_INVALID', 'IMAGE_TOO_LARGE'];

/** Merges random layers until the time is over. What is merged must be sound; what is refused, refused with a code. */
export async function fuzzLayers({ seed, forMs }: { seed: number; forMs: number }): Promise<FuzzReport> {
  const folder = await mkdtemp(`${tmpdir()}/banger-fuzz-`);
  const report: FuzzReport = { merged: 0, refused: 0, entries: 0 };
  const end = performance.now() + forMs;
  try {
    for (let round = 0; performance.now() < end; round += 1) {
      const random = new Random(seed + round);
      try {
        await fuzzOnce(random, folder, report);
      } catch (error) {
        throw new Error(`the layers of seed ${seed + round} are not handled`, { cause: error });
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return report;
}

async function fuzzOnce(random: Random, folder: string, report: FuzzReport): Promise<void> {
  const layers: LayerFile[] = [];
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const compress = randomCompression(random);
    layers.push(await writeLayer(`${folder}/${layers.length}`, randomTar(random), { compress }));
  }
  const merged = await mergeUnlessRefused(layers);
  if (merged === undefined) {
    report.refused += 1;
    return;
  }
  const members = await readMerged(merged);
  assert.equal(members.length, merged.entries);
  assertSound(members);
  if (random.oneIn(2)) await assertSameFromHeaders(layers, members);
  if (random.oneIn(FILE_SYSTEM_ONE_IN)) await assertSameFiles(layers, folder); // which empties them
  report.merged += 1;
  report.entries += merged.entries;
}

/** Only the merge may refuse: it has seen all of the layers, so whatever fails later is a mistake of ours. */
async function mergeUnlessRefused(layers: readonly LayerFile[]): Promise<MergedTar | undefined> {
  try {
    return await mergeLayers(layers, { limits: { maxBytes: 2 ** 24 } });
  } catch (error) {
    if (error instanceof UserError && REFUSALS.includes(error.code)) return undefined;
    throw error;
  }
}

/** What is known of the layers afterwards leads to the same image. */
async function assertSameFromHeaders(layers: readonly LayerFile[], members: unknown): Promise<void> {
  const known = layers.map((layer) => ({ ...layer, headersPath: `${layer.path}.headers` }));
  try {
    for (const layer of known) await keepHeaders(layer, { limits: LAYER_LIMITS, spent: { bytes: 0 } });
    assert.deepEqual(await readMerged(await mergeLayers(known)), members);
  } finally {
    for (const { headersPath } of known) await rm(headersPath, { force: true });
  }
}

/** Each path once, plainly below the root, in a folder that came before; hard links to what came before and is no folder. */
function assertSound(members: readonly ReadMember[]): void {
  const types = new Map<string, string>();
  for (const { name, type, linkTarget } of members) {
    const path = name.replace(/\/$/, '');
    assert.ok(!types.has(path), `"${path}" comes twice`);
    const names = path.split('/');
    assert.equal(names[0], '.');
    assert.ok(
      !names.slice(1).some((part) => ['', '.', '..'].includes(part) || /^\.wh\.|[\0\n]/.test(part)),
      path,
    );
    if (names.length > 1)
      assert.equal(types.get(names.slice(0, -1).join('/')), '5', `the parent of "${path}"`);
    if (type === '1')
      assert.ok(!['5', '1', undefined].includes(types.get(linkTarget)), `the target of "${path}"`);
    types.set(path, type);
  }
}
