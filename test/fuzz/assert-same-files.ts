import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, truncate } from 'node:fs/promises';
import { MiB } from '#base/sizes.ts';
import { ROOT_DISK_FILE } from '#daemon/image/image-store.ts';
import { imageTar } from '#daemon/image/image-tar.ts';
import { makeRootDisk } from '#daemon/image/root-disk.ts';
import { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { keepHeaders } from '#oci/layers/layer-headers.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { mergeLayers } from '#oci/layers/merge-layers.ts';
import { readMembers, readMerged, type ReadMember } from '../support/layer-tar.ts';

/**
 * The image that becomes of layers is sound, and holds what they hold. So does one of its lower layers alone, which takes from it
 * what it has of them, and one of the same layers after they were emptied.
 */
export async function assertSameFiles(layers: readonly LayerFile[], folder: string): Promise<void> {
  const images = `${folder}/images`;
  const known = layers.map((layer) => ({ ...layer, headersPath: `${layer.path}.headers` }));
  for (const layer of known) await keepHeaders(layer, { limits: LAYER_LIMITS, spent: { bytes: 0 } });
  await mkdir(images);
  try {
    const members = await membersOf(known);
    const lower = known.slice(0, -1);
    await assertImage(`${images}/${'a'.repeat(12)}`, known, members);
    await assertImage(`${images}/${'b'.repeat(12)}`, lower, await membersOf(lower));
    for (const { path } of known) await truncate(path);
    await assertImage(`${images}/${'c'.repeat(12)}`, known, members);
  } finally {
    await rm(images, { recursive: true });
    for (const { headersPath } of known) await rm(headersPath);
  }
}

const membersOf = async (layers: readonly LayerFile[]) => readMerged(await mergeLayers(layers));

async function assertImage(
  folder: string,
  layers: readonly LayerFile[],
  members: readonly ReadMember[],
): Promise<void> {
  await mkdir(folder);
  await makeRootDisk({ root: { layers }, folder, sizeBytes: 64 * MiB }, {});
  const path = `${folder}/${ROOT_DISK_FILE}`;
  execFileSync('e2fsck', ['-fn', path], { stdio: 'pipe' });
  await using reader = await Ext4Reader.open(path);
  assert.deepEqual(described(await readMembers(imageTar(reader, {}))), described(members));
}

/** Each path with all that is known of its file, its other names included. The order of names and of attributes means nothing. */
function described(members: readonly ReadMember[]): Map<string, unknown> {
  const names = new Map<string, string[]>();
  const pathOf = (name: string) => name.replace(/\/$/, '');
  const firstOf = ({ type, name, linkTarget }: ReadMember) => pathOf(type === '1' ? linkTarget : name);
  for (const member of members) {
    const first = firstOf(member);
    names.set(first, [...(names.get(first) ?? []), pathOf(member.name)]);
  }
  const firsts = new Map(members.map((member) => [pathOf(member.name), member]));
  const all = members.map((member): [string, unknown] => {
    const { index: _, name: __, ...rest } = firsts.get(firstOf(member)) as ReadMember;
    const xattrs = rest.xattrs.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    return [pathOf(member.name), { ...rest, xattrs, names: names.get(firstOf(member))?.toSorted() }];
  });
  return new Map(all.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
