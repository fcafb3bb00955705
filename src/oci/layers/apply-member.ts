import { applyWhiteout } from './apply-whiteout.ts';
import { LayerFault, shownName } from './layer-fault.ts';
import { splitPath } from './member-path.ts';
import type { Entry, Inode, InodeKind, MergeTree } from './merge-tree.ts';
import type { Xattr } from './pax-records.ts';
import type { TarMember } from './read-tar.ts';

const KINDS: Record<string, InodeKind> = {
  '0': 'file',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};
const HARD_LINK = '1';
const NONE: readonly Xattr[] = [];
/** What an attribute takes in memory besides its name and value, about: small ones in large numbers cost more than they hold. */
const ATTRIBUTE_BYTES = 128;
const MAX_TARGET_BYTES = 4095;
const MAX_OWNER = 2 ** 32 - 2; // the last one means "unchanged" to chown(2)
const MAX_DEVICE = { major: 2 ** 12 - 1, minor: 2 ** 20 - 1 };
const TIMES = { first: -(2 ** 31), last: 2 ** 34 - 2 ** 31 - 1 }; // what ext4 holds
/** Attributes of other systems, such as com.apple.*, are none of Linux's. */
const NAMESPACES = /^(?:user|trusted|security)\.|^system\.posix_acl_(?:access|default)$/;

export interface LayerPlace {
  tree: MergeTree;
  /** Number of the layer, the lowest is 0. */
  layer: number;
}

/** Lets one member of a layer take effect: the last word on a path wins. @throws LayerFault */
export function applyMember(member: TarMember, place: LayerPlace): void {
  const { tree } = place;
  tree.countEntry();
  const names = splitPath(member.name);
  if (applyWhiteout(names, place)) return;
  if (names.length === 0) setRoot(member, place);
  else if (member.type === HARD_LINK) addLink(names, member, place);
  else addInode(names, member, place);
}

function setRoot(member: TarMember, { tree, layer }: LayerPlace): void {
  if (member.type !== '5') throw new LayerFault('the root of the image is no folder');
  tree.root.inode = toInode(member, tree, layer);
}

function addInode(names: readonly string[], member: TarMember, { tree, layer }: LayerPlace): void {
  const parent = tree.ensureFolder(names, layer);
  const name = names.at(-1) ?? '';
  const inode = toInode(member, tree, layer);
  const present = parent.children?.get(name);
  if (inode.kind === 'directory' && present?.children !== undefined) {
    present.inode = inode;
    present.layer = layer;
  } else {
    const children = inode.kind === 'directory' ? new Map<string, Entry>() : undefined;
    tree.put({ name, parent, layer, inode, children });
  }
}

function addLink(names: readonly string[], member: TarMember, { tree, layer }: LayerPlace): void {
  const target = splitPath(member.linkTarget.replace(/^\/+/, ''));
  const found = tree.findFolder(target)?.children?.get(target.at(-1) ?? '');
  const link = `the hard link ${shownName(member.name)}`;
  if (found === undefined) {
    throw new LayerFault(`${link} leads to ${shownName(member.linkTarget)}, which is not there`);
  }
  if (found.children !== undefined) throw new LayerFault(`${link} leads to a folder`);
  const parent = tree.ensureFolder(names, layer);
  const name = names.at(-1) ?? '';
  if (parent.children?.get(name) === found) return; // a file is its own hard link
  tree.put({ name, parent, layer, inode: found.inode, children: undefined });
}

function toInode(member: TarMember, tree: MergeTree, layer: number): Inode {
  const kind = KINDS[member.type] ?? 'file';
  const xattrs =
    member.xattrs.length === 0 ? NONE : member.xattrs.filter(({ name }) => NAMESPACES.test(name));
  const target = kind === 'symlink' ? member.linkTarget : '';
  refuseValues(member, kind, xattrs);
  const attributeBytes = xattrs.reduce((sum, x) => sum + ATTRIBUTE_BYTES + x.name.length + x.value.length, 0);
  tree.countMetadata(target.length + attributeBytes);
  return {
    ...{ kind, xattrs, target, layer },
    mode: member.mode,
    uid: member.uid,
    gid: member.gid,
    mtime: Math.min(Math.max(member.mtime, TIMES.first), TIMES.last),
    size: kind === 'file' ? member.size : 0,
    index: member.index,
    major: member.major,
    minor: member.minor,
  };
}

function refuseValues(member: TarMember, kind: InodeKind, xattrs: readonly Xattr[]): void {
  const { uid, gid, major, minor, linkTarget } = member;
  const refuse = (condition: string) => {
    throw new LayerFault(`the member ${shownName(member.name)} has ${condition}`);
  };
  if ([uid, gid].some((id) => id < 0 || id > MAX_OWNER)) refuse('an owner that Linux cannot have');
  if (kind === 'symlink' && !isLinkTarget(linkTarget)) refuse('no target that a symlink can have');
  const isDevice = kind === 'character' || kind === 'block';
  const isKnown = major >= 0 && major <= MAX_DEVICE.major && minor >= 0 && minor <= MAX_DEVICE.minor;
  if (isDevice && !isKnown) refuse('a device number that Linux cannot have');
  if (xattrs.some(({ name }) => name.length > 255 || /[\0\n]/.test(name)))
    refuse('an attribute without a usable name');
}

function isLinkTarget(target: string): boolean {
  return target !== '' && target.length <= MAX_TARGET_BYTES && !target.includes('\0');
}
