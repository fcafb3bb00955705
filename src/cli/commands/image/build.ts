import { buildCommand } from '@stricli/core';
import { resolve } from 'node:path';
import { UserError } from '#contract/errors.ts';
import type { Environment } from '#base/environment.ts';
import type { BuildImageRequest, ImageBuilderName } from '#contract/owner/image-build.ts';
import type { CliContext } from '../../context.ts';
import { buildChoice, jsonFlag, onOff } from '../../parameters.ts';
import { readBuildArgs } from './build-args.ts';
import { kernelFlag, makeImage, nameFlag, sizeFlag } from './make-image.ts';

interface Flags {
  readonly name: string;
  readonly file?: string;
  readonly buildArg?: readonly string[];
  readonly target?: string;
  readonly builder?: ImageBuilderName;
  readonly platform?: string;
  readonly noCache: boolean;
  readonly size?: number;
  readonly kernel?: string;
  readonly json: boolean;
}

const BUILDERS: readonly ImageBuilderName[] = ['buildah', 'podman', 'docker'];

async function buildImage(this: CliContext, flags: Flags, folder: string): Promise<void> {
  const { name, size, kernel, target, builder, platform } = flags;
  const request: BuildImageRequest = {
    context: toFolder(folder),
    name,
    buildArgs: readBuildArgs(flags.buildArg ?? [], this.env),
    variables: await builderVariables(this.env),
    ...(flags.file !== undefined && { file: resolve(flags.file) }),
    ...(target !== undefined && { target }),
    ...(builder !== undefined && { builder }),
    ...(platform !== undefined && { platform }),
    ...(flags.noCache && { noCache: true }),
    ...(size !== undefined && { sizeBytes: size }),
    ...(kernel !== undefined && { kernel }),
  };
  await makeImage(this, flags.json, (client) => client.images.build(request));
}

function toFolder(folder: string): string {
  if (folder !== '-' && !/^[a-z]+:\/\//.test(folder)) return resolve(folder);
  throw new UserError('USAGE', `Cannot build in "${folder}": it is no folder of this machine`, {
    hint: 'give the folder that holds the Dockerfile, for example .',
  });
}

/** Where the caller's builder finds its daemon, its storage and its logins: the daemon's environment is an older one. */
async function builderVariables(env: Environment): Promise<Record<string, string>> {
  const { BUILDER_VARIABLE } = await import('#contract/owner/image-build.ts');
  const entries = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && BUILDER_VARIABLE.test(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}

const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, optional: true }) as const;

export const buildImageCommand = buildCommand({
  func: buildImage,
  parameters: {
    flags: {
      name: nameFlag,
      file: text('The Dockerfile; left out: Dockerfile or Containerfile in the folder', 'path'),
      buildArg: {
        kind: 'parsed',
        parse: String,
        brief: 'NAME=value for an ARG; NAME alone takes the value from here',
        placeholder: 'arg',
        optional: true,
        variadic: true,
      },
      target: text('The stage to stop at', 'stage'),
      builder: {
        kind: 'parsed',
        parse: buildChoice('builder', BUILDERS),
        brief: 'buildah, podman or docker; left out: the first that is here',
        placeholder: 'builder',
        optional: true,
      },
      platform: text('As other tools take it; only that of this machine works', 'platform'),
      noCache: onOff('Build each step anew'),
      size: sizeFlag,
      kernel: kernelFlag,
      json: jsonFlag,
    },
    aliases: { t: 'name', f: 'file' },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'The folder that the Dockerfile copies from', placeholder: 'folder', parse: String },
      ],
    },
  },
  docs: {
    brief: 'Make an image of a Dockerfile',
    fullDescription: `Make an image of a Dockerfile; print its name. It is built by buildah, podman or docker, whichever is here first; what that keeps of the build, its cache among it, stays with it.
Ctrl-C ends the builder and all that it started.

  banger image build . --name tool
  banger image build ./server --name server:1 --build-arg VERSION=2 --target release`,
  },
});
