export interface FilesystemShape {
  label: string;
  /** 0: no journal, for what is only ever read. */
  journalMiB: number;
}

export const BYTES_PER_INODE = 16_384;

// Spelt out, so that the result does not depend on the host's mke2fs.conf and every kernel since 4.4 mounts it.
const FEATURES = [
  'ext_attr',
  'resize_inode',
  'dir_index',
  'filetype',
  'extent',
  '64bit',
  'flex_bg',
  'sparse_super',
  'large_file',
  'huge_file',
  'dir_nlink',
  'extra_isize',
  'metadata_csum',
];

/**
 * Arguments of mke2fs for a file that exists and has its final size.
 *
 * Inode tables and journal are written now, not lazily: otherwise each guest's kernel would zero more than 100 MB of
 * them in the background, into every VM's own disk. On a sparse file that writes nothing.
 */
export function mke2fsArguments(shape: FilesystemShape, source: string | undefined, path: string): string[] {
  const journal = shape.journalMiB > 0;
  const features = ['none', ...(journal ? ['has_journal'] : []), ...FEATURES];
  return [
    ...['-q', '-F', '-t', 'ext4', '-L', shape.label],
    ...['-O', features.join(',')],
    ...['-b', '4096', '-I', '256', '-i', String(BYTES_PER_INODE), '-m', '0'],
    ...(journal ? ['-J', `size=${shape.journalMiB}`] : []),
    ...['-E', 'lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0'],
    ...(source === undefined ? [] : ['-d', source]),
    path,
  ];
}
