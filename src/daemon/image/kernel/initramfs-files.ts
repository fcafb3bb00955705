import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { messageOf } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import { buildInitramfs, type BootModule } from '#guest/initramfs.ts';
import { pathExists, writeFileAtomic } from '#host/files.ts';

const FILE_NAME = /^initramfs-[0-9a-f]{16}\.cpio$/;

/** The initramfs of each kernel, named by what is in it: another agent or module list gives another file. */
export class InitramfsFiles {
  readonly #agentPath: string;
  #agent: { version: string; content: Uint8Array } | undefined;

  constructor(agentPath: string) {
    this.#agentPath = agentPath;
  }

  /**
   * The path of the kernel's initramfs, made when there is none with this agent. Earlier ones are removed: a machine
   * reads its own only while it is launched.
   *
   * @throws UserError `INITRAMFS_BUILD_FAILED`
   */
  async ensure(kernelFolder: string): Promise<string> {
    const agent = await this.#readAgent();
    const modules = await readBootModules(`${kernelFolder}/boot-modules`);
    const name = `initramfs-${fingerprint(agent, modules)}.cpio`;
    const path = `${kernelFolder}/${name}`;
    if (await pathExists(path)) return path;
    await writeFileAtomic(path, buildInitramfs({ agent, modules }), 0o444);
    await removeOthers(kernelFolder, name);
    return path;
  }

  async #readAgent(): Promise<Uint8Array> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#agentPath);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (this.#agent?.version !== version)
        this.#agent = { version, content: await readFile(this.#agentPath) };
      return this.#agent.content;
    } catch (error) {
      throw new UserError(
        'INITRAMFS_BUILD_FAILED',
        `Cannot read the guest agent "${this.#agentPath}": ${messageOf(error)}`,
        {
          hint: 'run ./banger again: it builds the agent when it is missing',
          cause: error,
        },
      );
    }
  }
}

async function readBootModules(folder: string): Promise<BootModule[]> {
  const names = (await readFile(`${folder}/modules.list`, 'utf8')).split('\n').filter(Boolean);
  return Promise.all(
    names.map(async (fileName) => ({ fileName, content: await readFile(`${folder}/${fileName}`) })),
  );
}

function fingerprint(agent: Uint8Array, modules: readonly BootModule[]): string {
  const hash = createHash('sha256').update(agent);
  for (const { fileName, content } of modules)
    hash.update(`\n${fileName} ${content.length}\n`).update(content);
  return hash.digest('hex').slice(0, 16);
}

async function removeOthers(folder: string, keep: string): Promise<void> {
  const others = (await readdir(folder)).filter((name) => FILE_NAME.test(name) && name !== keep);
  await Promise.all(others.map((name) => rm(`${folder}/${name}`, { force: true })));
}
