import { gzipSync, zstdCompressSync } from 'node:zlib';
import { paxRecord } from '#oci/layers/pax-records.ts';
import { checksumOf, TAR_BLOCK } from '#oci/layers/tar-header.ts';
import type { NewMember } from '#oci/layers/write-tar-header.ts';
import { member, tarOf } from '../support/layer-tar.ts';
import type { Random } from './random.ts';

const NAMES = ['a', 'b', 'c', 'd', '.', 'é\xff', 'n'.repeat(120)];
const WHITEOUTS = ['.wh.a', '.wh.b', '.wh..wh..opq'];
const ODD_NAMES = [
  '..',
  '',
  '.wh.',
  '.wh...',
  '.wh..wh.x',
  'x\ny',
  'x\0y',
  'n'.repeat(300),
  '/',
  'p/'.repeat(2100),
];
const TYPES: readonly NewMember['type'][] = ['0', '0', '0', '5', '5', '5', '1', '2', '3', '6'];

/** A tar that is mostly sound, of few names, so that its members meet each other's. */
export function randomTar(random: Random): Buffer {
  const members = Array.from({ length: random.below(12) }, () => [
    ...(random.oneIn(10) ? extendedHeaders(random) : []),
    randomMember(random),
  ]);
  const tar = tarOf(...members.flat());
  if (random.oneIn(6)) damage(tar, random);
  return random.oneIn(20) ? tar.subarray(0, random.below(tar.length)) : tar;
}

export function randomCompression(random: Random): (tar: Buffer) => Buffer {
  const compress = random.pick([gzipSync, zstdCompressSync, (tar: Buffer) => tar]);
  if (!random.oneIn(20)) return compress;
  return (tar) => {
    const bytes = compress(tar);
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  };
}

function randomMember(random: Random): Buffer {
  const type = random.pick(TYPES);
  const xattrs = random.oneIn(6)
    ? [{ name: random.pick(['user.x', 'security.y', 'z']), value: Buffer.from('v') }]
    : [];
  const details: Partial<NewMember> = {
    ...{ name: randomPath(random), type, xattrs, mtime: random.below(2 ** 31) - 2 ** 30 },
    ...{ uid: random.below(2 ** 31), mode: random.below(0o10000), major: random.below(4100) },
  };
  if (type === '0') return member(details, 'x'.repeat(random.below(2000)));
  return member({ ...details, linkTarget: type === '1' || type === '2' ? randomPath(random) : '' });
}

/** One upon the other, of all kinds, now and then more of them or in them than anybody takes. */
function extendedHeaders(random: Random): Buffer[] {
  const count = random.oneIn(20) ? 20 : 1 + random.below(4);
  return Array.from({ length: count }, () => {
    const type = random.pick(['x', 'x', 'x', 'g', 'L', 'K']);
    const payload = 'xg'.includes(type)
      ? paxPayload(random)
      : Buffer.from(`${randomPath(random)}\0`, 'latin1');
    return member({ name: 'PaxHeader', type: type as NewMember['type'] }, payload);
  });
}

function paxPayload(random: Random): Buffer {
  if (random.oneIn(40)) return paxRecord('comment', 'x'.repeat(300_000 + random.below(800_000)));
  const attributes = random.oneIn(40) ? 400 : random.below(8);
  const records = Array.from({ length: attributes }, () =>
    paxRecord(`SCHILY.xattr.user.${random.below(800)}`, 'v'.repeat(random.below(10))),
  );
  const others = [
    () => paxRecord('path', randomPath(random)),
    () => paxRecord('linkpath', randomPath(random)),
    () => paxRecord('uid', String(random.below(2 ** 31))),
    () => paxRecord('mtime', `${random.below(2 ** 31)}.5`),
  ];
  if (random.oneIn(2)) records.push(random.pick(others)());
  return Buffer.concat(records);
}

function randomPath(random: Random): string {
  const names = Array.from({ length: 1 + random.below(3) }, () =>
    random.pick(random.oneIn(150) ? ODD_NAMES : NAMES),
  );
  if (random.oneIn(8)) names.push(random.pick(WHITEOUTS));
  return names.join('/');
}

/** Some bytes become others; half of the time the header's checksum is made to fit, so that what is behind it is reached. */
function damage(tar: Buffer, random: Random): void {
  const block = random.below(tar.length / TAR_BLOCK) * TAR_BLOCK;
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    tar[block + random.below(TAR_BLOCK)] = random.pick([0, 0x20, 0x2f, 0x37, 0x80, 0xff, random.below(256)]);
  }
  if (random.oneIn(2)) return;
  const header = tar.subarray(block, block + TAR_BLOCK);
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148);
}
