import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { MiB } from '#base/sizes.ts';
import { imageTar } from '#daemon/image/image-tar.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import type { MergedTar } from '#oci/layers/merge-layers.ts';
import { readMembers, type ReadMember } from '../support/layer-tar.ts';

/** The file system that becomes of merged layers is sound, and holds what they hold. */
export async function assertSameFiles(
  merged: MergedTar,
  members: readonly ReadMember[],
  folder: string,
): Promise<void> {
  const workFolder = `${folder}/work`;
  const path = `${workFolder}/x.ext4`;
  await mkdir(workFolder);
  try {
    const shape = { path, label: 'fuzz', journalMiB: 4, sizeBytes: 64 * MiB, workFolder };
    await makeFilesystem({ ...shape, source: { tree: merged.tree } });
    execFileSync('e2fsck', ['-fn', path], { stdio: 'pipe' });
    await using reader = await Ext4Reader.open(path);
    assert.deepEqual(described(await readMembers(imageTar(reader, {}))), described(members));
  } finally {
    await rm(workFolder, { recursive: true });
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
