import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';

/** A whole Debian with nothing but what is essential and apt, as one tar; made by root, from the archive that the host uses. */
export async function bootstrapMinbase(path: string): Promise<Buffer> {
  const options = [
    '--mode=root',
    '--variant=minbase',
    '--format=tar',
    '--quiet',
    '--dpkgopt=force-unsafe-io',
  ];
  const patience = ['--aptopt=Acquire::Retries "3"', '--aptopt=Acquire::http::Timeout "30"'];
  const suite =
    /^VERSION_CODENAME=(\w+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
  execFileSync('mmdebstrap', [...options, ...patience, suite, path], { stdio: 'pipe', timeout: 110_000 });
  const tar = await readFile(path);
  await rm(path);
  return tar;
}

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
