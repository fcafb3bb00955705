import { stat } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';

const NAMES = ['Dockerfile', 'Containerfile'];

/** The Dockerfile of a folder, unless one is named. @throws UserError `IMAGE_SOURCE_INVALID` */
export async function findDockerfile(contextFolder: string, named: string | undefined): Promise<string> {
  if ((await kindOf(contextFolder)) !== 'folder')
    throw unusable(contextFolder, 'it is no folder', 'give the folder that holds the Dockerfile');
  const candidates = named === undefined ? NAMES.map((name) => `${contextFolder}/${name}`) : [named];
  for (const path of candidates) {
    if ((await kindOf(path)) === 'file') return path;
  }
  const what = named === undefined ? 'it holds no Dockerfile' : `there is no file "${named}"`;
  throw unusable(contextFolder, what, 'name the Dockerfile with --file');
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'folder';
    return found.isFile() ? 'file' : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function unusable(folder: string, condition: string, hint: string): UserError {
  return new UserError('IMAGE_SOURCE_INVALID', `Cannot build an image in "${folder}": ${condition}`, {
    hint,
  });
}
