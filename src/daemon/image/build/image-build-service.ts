import { mkdir, rm } from 'node:fs/promises';
import type { BuildImageRequest } from '#contract/owner/image-build.ts';
import type { Operation } from '#contract/owner/operation.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import type { OperationContext, Operations } from '../../operation/operations.ts';
import { openImageSource } from '../source/image-source.ts';
import type { ImageDraft, ImageStore } from '../image-store.ts';
import { makeRootDisk } from '../root-disk.ts';
import { chooseBuilder, type ChosenBuilder } from './choose-builder.ts';
import { findDockerfile } from './find-dockerfile.ts';
import { assertOwnPlatform } from './own-platform.ts';
import { runBuilder } from './run-builder.ts';

export interface ImageBuildServiceOptions {
  store: Pick<ImageStore, 'checkNewName' | 'create'>;
  /** The kernel with this name or id. @throws UserError `KERNEL_NOT_FOUND` */
  findKernel: (reference: string) => { id: string };
  operations: Operations;
  /** `PATH` for builders. */
  searchPath: string;
}

/** Makes images of Dockerfiles, with whatever the host has that builds them. */
export class ImageBuildService {
  readonly #options: ImageBuildServiceOptions;

  constructor(options: ImageBuildServiceOptions) {
    this.#options = options;
  }

  /** Checks all that can be checked before it begins. */
  async build(request: BuildImageRequest): Promise<Operation> {
    const { store, operations, findKernel, searchPath } = this.#options;
    const { name, platform, context: contextFolder, file } = request;
    store.checkNewName(name);
    if (platform !== undefined) assertOwnPlatform(platform);
    const kernelId = request.kernel === undefined ? undefined : findKernel(request.kernel).id;
    const dockerfile = await findDockerfile(contextFolder, file);
    const builder = await chooseBuilder(request.builder, searchPath);
    return operations.begin({ kind: 'image.build' }, async (context) => {
      const build = async (folder: string): Promise<ImageDraft> => ({
        ...(await this.#make({ request, dockerfile, builder, folder }, context)),
        ...(kernelId !== undefined && { kernelId }),
      });
      return { image: await store.create(name, build, context) };
    });
  }

  async #make(
    { request, dockerfile, builder, folder }: BuildPlan,
    context: OperationContext,
  ): Promise<ImageDraft> {
    const { signal } = context;
    const outputFolder = `${folder}/build`;
    await mkdir(outputFolder, { mode: 0o700 });
    context.stage(`run-${builder.name}`, dockerfile);
    const order = {
      contextFolder: request.context,
      dockerfile,
      buildArgs: request.buildArgs ?? [],
      target: request.target,
      noCache: request.noCache === true,
      outputFolder,
    };
    const env = { ...request.variables, PATH: `${this.#options.searchPath}:${BUILD_ENVIRONMENT.PATH}` };
    const path = await runBuilder(builder, order, { signal, env, report: context });
    context.stage('make-file-system');
    const { root, ...known } = await openImageSource(path, { workFolder: outputFolder, signal });
    await makeRootDisk(
      { root, folder, sizeBytes: request.sizeBytes },
      { signal, report: context, log: context.log },
    );
    await rm(outputFolder, { recursive: true });
    return { kind: 'build', source: `build:${request.context}`, ...known };
  }
}

interface BuildPlan {
  request: BuildImageRequest;
  dockerfile: string;
  builder: ChosenBuilder;
  folder: string;
}
