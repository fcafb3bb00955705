import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { runCommand } from '#host/run-command.ts';
import type { Abortable } from '#base/abort.ts';
import { BUILD_ENVIRONMENT } from './build-tools.ts';
import type { TarAttribute } from './tar-attributes.ts';

export interface AttributeTarget {
  imagePath: string;
  workFolder: string;
}

/** Gives files in an ext4 image their extended attributes (`security.capability` among them), without mounting it. */
export async function setAttributes(
  attributes: readonly TarAttribute[],
  { imagePath, workFolder }: AttributeTarget,
  { signal }: Abortable = {},
): Promise<void> {
  if (attributes.length === 0) return;
  const folder = await mkdtemp(`${workFolder}/attributes-`);
  try {
    const commands = await Promise.all(
      attributes.map(async ({ path, name, value }, index) => {
        const valuePath = `${folder}/${index}`;
        await writeFile(valuePath, value);
        return `ea_set -f ${valuePath} ${quoted(path)} ${quoted(name)}\n`;
      }),
    );
    await writeFile(`${folder}/commands`, commands.join(''));
    const args = ['-w', '-f', `${folder}/commands`, imagePath];
    const { stderr } = await runCommand('debugfs', args, { signal, env: BUILD_ENVIRONMENT });
    refuseComplaints(stderr);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** debugfs goes on after a failed command and ends with status 0; its first line is its version. */
function refuseComplaints(stderr: string): void {
  const complaint = stderr.split('\n').find((line) => line !== '' && !/^debugfs \d/.test(line));
  if (complaint !== undefined) throw new Error(`cannot set extended attributes: ${complaint}`);
}

function quoted(word: string): string {
  if (/["\n\\]/.test(word)) throw new Error(`debugfs cannot name the file ${JSON.stringify(word)}`);
  return `"${word}"`;
}
