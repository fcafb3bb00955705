import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { runDebugfs, type DebugfsTarget } from './run-debugfs.ts';
import type { TarAttribute } from './tar-attributes.ts';

/** Gives files in an ext4 image their extended attributes (`security.capability` among them), without mounting it. */
export async function setAttributes(
  attributes: readonly TarAttribute[],
  { imagePath, workFolder }: DebugfsTarget,
  { signal }: Abortable = {},
): Promise<void> {
  if (attributes.length === 0) return;
  const folder = await mkdtemp(`${workFolder}/attributes-`);
  try {
    const valuePaths = await writeValues(attributes, folder);
    const commands = attributes.map(
      ({ path, name, value }) =>
        `ea_set -f ${valuePaths.get(keyOf(value))} ${quoted(path)} ${quoted(name)}\n`,
    );
    await runDebugfs(commands, { imagePath, workFolder: folder }, { signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each value once: in many files it is the same. */
async function writeValues(
  attributes: readonly TarAttribute[],
  folder: string,
): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const { value } of attributes) {
    const key = keyOf(value);
    if (paths.has(key)) continue;
    const path = `${folder}/${paths.size}`;
    await writeFile(path, value);
    paths.set(key, path);
  }
  return paths;
}

function keyOf(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}

/** As debugfs reads its commands: a quote is doubled, a backslash is one. */
function quoted(word: string): string {
  if (/[\n\0]/.test(word)) throw new Error(`debugfs cannot name the file ${JSON.stringify(word)}`);
  return `"${word.replaceAll('"', '""')}"`;
}
