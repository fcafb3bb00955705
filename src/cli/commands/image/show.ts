import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { ImageDetails, WorkSeed } from '#contract/owner/image.ts';
import type { CliContext } from '../../context.ts';
import { formatFields, type Field } from '../../output/fields.ts';
import { jsonFlag } from '../../parameters.ts';
import { imagePositional } from './image-parameter.ts';

interface Flags {
  readonly json: boolean;
}

function fieldsOf({ config = {}, ...image }: ImageDetails): readonly Field[] {
  return [
    ['id', image.id],
    ['names', image.names.join(', ') || 'none: only VMs keep it'],
    ['kind', image.kind],
    ['source', image.source],
    ['digest', image.digest],
    ['file', image.path],
    ['kernel', image.kernelId],
    ['architecture', image.architecture],
    ['size', formatSize(image.virtualBytes)],
    ['on disk', formatSize(image.allocatedBytes)],
    ['entrypoint', words(config.entrypoint)],
    ['command', words(config.cmd)],
    ['environment', words(config.env)],
    ['working folder', config.workingDir],
    ['user', config.user],
    ['exposed ports', words(config.exposedPorts)],
    ['stop signal', config.stopSignal],
    ['labels', config.labels && JSON.stringify(config.labels)],
    ['created', image.createdAt],
    ['work seed', image.workSeed ? describeSeed(image.workSeed) : 'not made yet'],
    ['VMs', image.vms.map(({ name, state }) => `${name} (${state})`).join(', ') || undefined],
  ];
}

function describeSeed({ allocatedBytes, keyFingerprint = 'none', createdAt }: WorkSeed): string {
  return `${formatSize(allocatedBytes)}, made ${createdAt}, key ${keyFingerprint}`;
}

function words(list: readonly string[] | undefined): string | undefined {
  return list && JSON.stringify(list);
}

export const showImageCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string) {
    using client = await this.connect();
    const image = await client.images.get(reference);
    if (json) this.output.json(image);
    else this.output.text(formatFields(fieldsOf(image), this.output.style));
  },
  parameters: { flags: { json: jsonFlag }, positional: imagePositional },
  docs: {
    brief: 'Show everything about an image',
    fullDescription: `Show everything about an image: where it came from, how its publisher wants it run, and which VMs begin from it.

  banger image show alpine
  banger image show --json alpine`,
  },
});
