import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { MiB } from '#base/sizes.ts';
import { ROOT_DISK_FILE } from '#daemon/image/image-store.ts';
import { imageTar } from '#daemon/image/image-tar.ts';
import { makeRootDisk } from '#daemon/image/root-disk.ts';
import { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { readMembers, type ReadMember } from '../support/layer-tar.ts';

/** The image that becomes of layers is sound, and holds what they hold; a second one too, which takes from the first what it can. */
export async function assertSameFiles(
  layers: readonly LayerFile[],
  members: readonly ReadMember[],
  folder: string,
): Promise<void> {
  const images = `${folder}/images`;
  await mkdir(images);
  try {
    for (const id of ['a'.repeat(12), 'b'.repeat(12)]) {
      await mkdir(`${images}/${id}`);
      await makeRootDisk({ root: { layers }, folder: `${images}/${id}`, sizeBytes: 64 * MiB }, {});
      const path = `${images}/${id}/${ROOT_DISK_FILE}`;
      execFileSync('e2fsck', ['-fn', path], { stdio: 'pipe' });
      await using reader = await Ext4Reader.open(path);
      assert.deepEqual(described(await readMembers(imageTar(reader, {}))), described(members));
    }
  } finally {
    await rm(images, { recursive: true });
  }
}

/** Each path with all that is known of its file, its other names included: which of them comes first means nothing. */
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
    return [pathOf(member.name), { ...rest, names: names.get(firstOf(member))?.toSorted() }];
  });
  return new Map(all.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
