import type { ImageBuilderName } from '#contract/owner/image-build.ts';

/** What a builder is to make, and where it leaves what. */
export interface BuildOrder {
  contextFolder: string;
  dockerfile: string;
  buildArgs: readonly string[];
  target: string | undefined;
  noCache: boolean;
  /** Empty; the id of the image and the image itself are written here. */
  outputFolder: string;
}

/** One way to build; what it leaves is read as any OCI layout or docker-save archive. */
export interface BuilderCommands {
  build(order: BuildOrder): string[];
  /** Writes the image with this id to the output folder. */
  save(imageId: string, order: BuildOrder): string[];
  /** What `save` makes. */
  result(order: BuildOrder): string;
  /** The Debian package that has it. */
  package: string;
}

export const idFileOf = ({ outputFolder }: BuildOrder): string => `${outputFolder}/id`;

const layoutOf = ({ outputFolder }: BuildOrder) => `${outputFolder}/layout`;
const archiveOf = ({ outputFolder }: BuildOrder) => `${outputFolder}/image.tar`;

/** buildah and podman are one program in this. */
const containers: Omit<BuilderCommands, 'package'> = {
  build: (order) => ['build', '--layers', '--format', 'oci', ...commonFlags(order)],
  save: (imageId, order) => ['push', '--quiet', imageId, `oci:${layoutOf(order)}:latest`],
  result: layoutOf,
};

export const BUILDERS: Readonly<Record<ImageBuilderName, BuilderCommands>> = {
  buildah: { ...containers, package: 'buildah' },
  podman: { ...containers, package: 'podman' },
  docker: {
    build: (order) => ['build', ...commonFlags(order)],
    save: (imageId, order) => ['save', '--output', archiveOf(order), imageId],
    result: archiveOf,
    package: 'docker.io',
  },
};

function commonFlags(order: BuildOrder): string[] {
  return [
    ...['--file', order.dockerfile, '--iidfile', idFileOf(order)],
    ...order.buildArgs.flatMap((argument) => ['--build-arg', argument]),
    ...(order.target === undefined ? [] : ['--target', order.target]),
    ...(order.noCache ? ['--no-cache'] : []),
    order.contextFolder,
  ];
}
