import { stat } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { systemErrorCode } from '#base/errors.ts';
import { nearest } from '#base/nearest.ts';
import { UserError } from '#contract/errors.ts';
import { IMAGE_NAME_PATTERN, type DeletedImage, type Image } from '#contract/owner/image.ts';
import { allocatedBytes, syncFile } from '#ext4/sparse-file.ts';
import { familiarName } from '#oci/familiar-name.ts';
import type { ImageRepository } from '#store/image-repository.ts';
import type { Architecture } from './architecture.ts';
import { ArtifactFolder, type ArtifactLeftover, type NewArtifact } from './artifact-folder.ts';

export const ROOT_DISK_FILE = 'rootfs.ext4';

export interface ReadyImage {
  record: Image;
  /** Raw ext4, never written again. */
  rootDiskPath: string;
}

/** What is known of a new image beside its disk. */
export type ImageDraft = Pick<Image, 'kind' | 'source'> &
  Partial<Pick<Image, 'digest' | 'config' | 'kernelId'>>;

export interface CreateOptions extends Abortable {
  /** It is what is called so, and may have the name. */
  isOwn?: boolean;
  /** Id of the image whose name it takes over, at the moment when it is there. */
  replaces?: string | undefined;
}

export interface ImageStoreOptions {
  folder: string;
  repository: ImageRepository;
  architecture: Architecture;
  clock: Clock;
  /** Names that an image gets only from what is called so. */
  isReserved: (name: string) => boolean;
  /** Removes what was made of an image that is gone. */
  onRemoved?: (id: string) => Promise<void>;
}

/** A VM that begins from an image. */
export interface ImageUser {
  id: string;
  name: string;
  state: string;
}

/** The images of this host: their rows, their names and their files. */
export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #folder: ArtifactFolder;
  readonly #holds = new Map<string, number>();
  /** Names that are being given away, between the look whether they are free and the row. */
  readonly #pending = new Set<string>();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#folder = new ArtifactFolder({ path: options.folder, of: 'image', files: [ROOT_DISK_FILE] });
  }

  list(): Image[] {
    return this.#options.repository.list();
  }

  /** By name, however it is spelled, else by id. Names are kept as familiar ones; an older banger kept them as they were written. */
  find(reference: string): Image | undefined {
    const { repository } = this.#options;
    return (
      repository.findByName(reference) ??
      repository.findByName(familiarName(reference)) ??
      repository.findById(reference)
    );
  }

  /** @throws UserError `IMAGE_NOT_FOUND` */
  get(reference: string): Image {
    const found = this.find(reference);
    if (found) return found;
    const meant = nearest(
      reference,
      this.list().flatMap(({ names }) => names),
    );
    throw new UserError(
      'IMAGE_NOT_FOUND',
      `Cannot find the image "${reference}": none here has this name or id`,
      {
        hint: meant ? `did you mean "${meant}"? See: banger image list` : 'banger image list',
      },
    );
  }

  /** @throws UserError `IMAGE_NOT_FOUND` when the file of a registered image is gone */
  async ready(record: Image): Promise<ReadyImage> {
    if (record.path === undefined)
      return { record, rootDiskPath: `${this.#folder.path}/${record.id}/${ROOT_DISK_FILE}` };
    await requireFile(record.name, record.path);
    return { record, rootDiskPath: record.path };
  }

  /** Keeps an image from being deleted until the answer is disposed. @throws UserError `IMAGE_NOT_FOUND` */
  hold(id: string): Disposable {
    this.get(id);
    this.#holds.set(id, (this.#holds.get(id) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#holds.get(id) ?? 0) - 1;
        if (left > 0) this.#holds.set(id, left);
        else this.#holds.delete(id);
      },
    };
  }

  /** @throws UserError `INVALID_NAME`, `IMAGE_NAME_TAKEN` */
  checkNewName(wanted: string, isOwn = false): void {
    const name = familiarName(wanted);
    if (!IMAGE_NAME_PATTERN.test(name)) {
      throw new UserError('INVALID_NAME', `Cannot name an image "${wanted}": it is no image name`, {
        hint: 'use words of letters, digits and _, joined by . - : / or @; for example: alpine:3.22',
      });
    }
    const taken = this.#options.repository.findByName(name) !== undefined || this.#pending.has(name);
    if (!taken && (isOwn || !this.#options.isReserved(name))) return;
    const who = taken ? 'another image has this name' : 'an entry of a catalog has this name';
    throw new UserError('IMAGE_NAME_TAKEN', `Cannot name an image "${name}": ${who}`, {
      hint: taken ? `choose another name, or remove it: banger image delete ${name}` : 'choose another name',
    });
  }

  /**
   * Makes an image: `build` writes its disk into a folder of its own; only giving it its name and its row happen together.
   *
   * @throws UserError `INVALID_NAME`, `IMAGE_NAME_TAKEN`; what `build` throws, of which nothing is left
   */
  async create(
    name: string,
    build: (folder: string) => Promise<ImageDraft>,
    { signal, ...options }: CreateOptions,
  ): Promise<Image> {
    return this.#folder.build(async (artifact) => {
      const draft = await build(artifact.folder);
      signal?.throwIfAborted();
      const disk = `${artifact.folder}/${ROOT_DISK_FILE}`;
      await syncFile(disk);
      const image = await this.#describe(draft, { id: artifact.id, name, disk });
      await this.#publish(artifact, image, options);
      return image;
    });
  }

  /** An image whose disk stays where the user has it. @throws UserError `INVALID_NAME`, `IMAGE_NAME_TAKEN` */
  async register(name: string, path: string, draft: ImageDraft & { id: string }): Promise<Image> {
    const image = { ...(await this.#describe(draft, { id: draft.id, name, disk: path })), path };
    this.checkNewName(name);
    this.#options.repository.insert(image);
    return image;
  }

  /** Brings the disk of a registered image into a folder of ours. */
  async promote(
    image: Image,
    copy: (target: string) => Promise<void>,
    { signal }: Abortable,
  ): Promise<Image> {
    const { repository } = this.#options;
    await this.#folder.build(
      async (artifact) => {
        const disk = `${artifact.folder}/${ROOT_DISK_FILE}`;
        await copy(disk);
        signal?.throwIfAborted();
        await syncFile(disk);
        await this.#folder.publish(artifact);
        repository.makeManaged(
          image.id,
          await allocatedBytes(`${this.#folder.path}/${image.id}/${ROOT_DISK_FILE}`),
        );
      },
      { id: image.id },
    );
    return this.get(image.id);
  }

  /** From now on new VMs of it get this kernel. @throws UserError `IMAGE_NOT_FOUND` */
  useKernel(id: string, kernelId: string): Image {
    this.#options.repository.setKernel(id, kernelId);
    return this.get(id);
  }

  /** One more name for an image. @throws UserError `INVALID_NAME`, `IMAGE_NAME_TAKEN`, `IMAGE_NOT_FOUND` */
  tag(reference: string, wanted: string): Image {
    const { repository, clock } = this.#options;
    const { id, names } = this.get(reference);
    const name = familiarName(wanted);
    if (!names.includes(name)) {
      this.checkNewName(wanted);
      repository.addName(id, name, clock.now());
    }
    return this.get(id);
  }

  /**
   * Removes an image, or just the name it was asked for by when it has others. While only stopped VMs use it, `force` takes its
   * names away and leaves its files to them.
   *
   * @throws UserError `IMAGE_NOT_FOUND`, `IMAGE_IN_USE`
   */
  async delete(
    reference: string,
    { users, force }: { users: (id: string) => readonly ImageUser[]; force: boolean },
  ): Promise<DeletedImage> {
    const { repository } = this.#options;
    const image = this.get(reference);
    const name = image.names.includes(reference) ? reference : familiarName(reference);
    if (image.names.length > 1 && image.names.includes(name)) {
      repository.removeNames(image.id, [name]);
      return { image: this.get(image.id), outcome: 'untagged', vms: [] };
    }
    const using = users(image.id);
    if (using.length === 0 && !this.#holds.has(image.id)) {
      await this.#remove(image);
      return { image, outcome: 'deleted', vms: [] };
    }
    if (!force || this.#holds.has(image.id) || using.some(({ state }) => state !== 'stopped'))
      throw inUse('delete', image, using);
    repository.removeNames(image.id, image.names);
    return { image, outcome: 'kept', vms: using.map(({ name }) => name) };
  }

  /** Those without a name that no VM uses any more. */
  findNameless(users: (id: string) => readonly ImageUser[]): Image[] {
    return this.list().filter(
      ({ id, names }) => names.length === 0 && users(id).length === 0 && !this.#holds.has(id),
    );
  }

  async removeNameless(users: (id: string) => readonly ImageUser[]): Promise<void> {
    for (const image of this.findNameless(users)) await this.#remove(image);
  }

  /** Files without a row, rows without files; what is being built is none. */
  findLeftovers(): Promise<ArtifactLeftover[]> {
    const managed = this.list().filter(({ path }) => path === undefined);
    return this.#folder.findLeftovers(new Set(managed.map(({ id }) => id)));
  }

  /** The row first: a folder without one is a leftover that the next look finds. */
  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    if (leftover.kind === 'missing') this.#options.repository.delete(leftover.id);
    await this.#folder.remove(leftover);
    await this.#options.onRemoved?.(leftover.id);
  }

  async #remove({ id, path }: Image): Promise<void> {
    this.#options.repository.delete(id);
    await this.#options.onRemoved?.(id);
    if (path !== undefined) return;
    await this.#folder.remove({ of: 'image', kind: 'unknown', id, path: `${this.#folder.path}/${id}` });
  }

  async #describe(
    draft: ImageDraft,
    { id, name: wanted, disk }: { id: string; name: string; disk: string },
  ): Promise<Image> {
    const { architecture, clock } = this.#options;
    const name = familiarName(wanted);
    return {
      ...draft,
      id,
      name,
      names: [name],
      architecture: architecture.name,
      virtualBytes: (await stat(disk)).size,
      allocatedBytes: await allocatedBytes(disk),
      createdAt: new Date(clock.now()).toISOString(),
    };
  }

  async #publish(artifact: NewArtifact, image: Image, options: CreateOptions): Promise<void> {
    const { repository } = this.#options;
    const { isOwn = false, replaces } = options;
    const owner = repository.findByName(image.name);
    // Meanwhile somebody may have deleted it, or given the name to another one.
    const isTakenOver = owner !== undefined && owner.id === replaces && !this.#pending.has(image.name);
    if (!isTakenOver) this.checkNewName(image.name, isOwn);
    this.#pending.add(image.name);
    try {
      await this.#folder.publish(artifact);
      repository.insert(image, { takeNames: isTakenOver });
    } finally {
      this.#pending.delete(image.name);
    }
  }
}

async function requireFile(name: string, path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  throw new UserError('IMAGE_NOT_FOUND', `Cannot use the image "${name}": its file "${path}" is gone`, {
    hint: `put the file back, or forget the image: banger image delete ${name}`,
  });
}

export function inUse(verb: 'delete' | 'promote', image: Image, users: readonly ImageUser[]): UserError {
  const running = users.filter(({ state }) => state !== 'stopped').map(({ name }) => name);
  const all = users.map(({ name }) => name);
  const who = all.length > 0 ? `VMs begin from it: ${all.join(', ')}` : 'a VM is being created from it';
  const mayForce = verb === 'delete' && all.length > 0 && running.length === 0;
  const force = mayForce ? ', or give --force, which keeps its files for them' : '';
  const hint =
    all.length > 0 ? `delete them first: banger vm delete ${all.join(' ')}${force}` : 'try again later';
  return new UserError('IMAGE_IN_USE', `Cannot ${verb} the image "${image.name}": ${who}`, {
    hint,
    details: { vms: all, running },
  });
}
