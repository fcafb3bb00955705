import { createCipheriv } from 'node:crypto';
import { MiB } from '#base/sizes.ts';
import { file, folder, tarOf } from '../test/support/layer-tar.ts';

const FOLDERS = 500;
const FILES_IN_FOLDER = 200;
const LARGE_LAYERS = 5;
const FILES_IN_LAYER = 4;
const LARGE_FILE_BYTES = 25 * MiB;

/** The tar of 100,000 files of up to 2 KiB, in folders as a package manager makes them. */
export function smallFiles(): Buffer {
  const content = halfCompressible(0, 64 * 1024).toString('latin1');
  const folders = Array.from({ length: FOLDERS }, (_, index) => `srv/modules-${index % 20}/package-${index}`);
  const parents = Array.from({ length: 20 }, (_, index) => folder(`srv/modules-${index}/`));
  const members = folders.flatMap((parent, number) => [
    folder(`${parent}/`),
    ...Array.from({ length: FILES_IN_FOLDER }, (_, index) => {
      const at = (number * 131 + index * 17) % 60_000;
      return file(`${parent}/file-${index}.js`, content.slice(at, at + 50 + ((index * 37) % 1000)));
    }),
  ]);
  return tarOf(folder('./'), folder('srv/'), ...parents, ...members);
}

/** Five tars of 100 MiB each, in four files. The last one is another for each `variant`. */
export function largeFiles(variant = 0): Buffer[] {
  return Array.from({ length: LARGE_LAYERS }, (_, layer) => {
    const seed = layer * 100 + (layer === LARGE_LAYERS - 1 ? variant * 10_000 : 0);
    const files = Array.from({ length: FILES_IN_LAYER }, (__, index) =>
      file(`srv/large-${layer}-${index}`, halfCompressible(seed + index + 1, LARGE_FILE_BYTES)),
    );
    return tarOf(folder('srv/'), ...files);
  });
}

/** Bytes that deflate halves, as it does those of programs; the same for the same seed. */
function halfCompressible(seed: number, length: number): Buffer {
  const half = 16 * 1024;
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  const noise = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(
    Buffer.alloc(Math.ceil(length / 2)),
  );
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 2 * half) {
    const piece = noise.subarray(at / 2, at / 2 + half);
    piece.copy(bytes, at);
    piece.copy(bytes, at + half);
  }
  return bytes;
}
