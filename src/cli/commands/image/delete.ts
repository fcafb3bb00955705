import { buildCommand } from '@stricli/core';
import { isUserError, type UserError } from '#contract/errors.ts';
import type { DeletedImage } from '#contract/owner/image.ts';
import type { CliContext } from '../../context.ts';
import { describeError, EXIT } from '../../output/error.ts';
import { reportFailure } from '../../output/report.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { imagesPositional } from './image-parameter.ts';

interface Flags {
  readonly force: boolean;
  readonly json: boolean;
}

type Outcome = { reference: string } & ({ deleted: DeletedImage } | { failure: UserError });

async function deleteImages(
  this: CliContext,
  { force, json }: Flags,
  ...references: string[]
): Promise<void> {
  using client = await this.connect();
  const outcomes: Outcome[] = [];
  for (const reference of new Set(references)) {
    try {
      outcomes.push({ reference, deleted: await client.images.delete(reference, { force }) });
    } catch (error) {
      if (references.length === 1 || !isUserError(error)) throw error;
      outcomes.push({ reference, failure: error });
      this.exitStatus = EXIT.failure;
    }
  }
  if (json) this.output.json(outcomes.map(toJson));
  else for (const outcome of outcomes) print(this, outcome);
}

function print(context: CliContext, outcome: Outcome): void {
  if ('failure' in outcome) {
    reportFailure(outcome.failure, { output: context.output, json: false });
    return;
  }
  const { vms, outcome: what } = outcome.deleted;
  context.output.line(outcome.reference);
  if (what === 'untagged') context.output.note(`the image stays: it is also "${outcome.deleted.image.name}"`);
  if (what === 'kept') context.output.note(`its files stay until these VMs are deleted: ${vms.join(', ')}`);
}

function toJson(outcome: Outcome): object {
  const { reference } = outcome;
  if ('deleted' in outcome) return { reference, ...outcome.deleted };
  const { stack: _, ...error } = describeError(outcome.failure);
  return { reference, error };
}

export const deleteImageCommand = buildCommand({
  func: deleteImages,
  parameters: {
    flags: {
      force: onOff('Also those that stopped VMs begin from; their files stay for them'),
      json: jsonFlag,
    },
    aliases: { f: 'force' },
    positional: imagesPositional,
  },
  docs: {
    brief: 'Remove images, or names of them',
    fullDescription: `Remove images; print the name of each. Of one that has several names, only the name that was given goes. One that VMs begin from is refused;
with --force its names go while those VMs are stopped, and its files when they are deleted. The file of a registered image is never touched.

  banger image delete alpine
  banger image delete -f old-base tool:1`,
  },
});
