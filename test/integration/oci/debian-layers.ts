import { execFileSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';

/** Debian packages as the tars of their files, by name; fetched from the archive that the host uses. */
export async function fetchPackages(folder: string, names: readonly string[]): Promise<Map<string, Buffer>> {
  await mkdir(folder);
  const options = ['-q', '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3'];
  execFileSync('apt-get', [...options, 'download', ...names], { cwd: folder, stdio: 'pipe' });
  const files = await readdir(folder);
  const tars = files.map((file): [string, Buffer] => {
    const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', `${folder}/${file}`], { maxBuffer: 2 ** 30 });
    return [file.split('_')[0]!, tar];
  });
  return new Map(tars);
}
