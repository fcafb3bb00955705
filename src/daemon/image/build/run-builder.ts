import { readFile } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { UserError } from '#contract/errors.ts';
import { runContained } from '#ext4/containment.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { BUILDERS, idFileOf, type BuildOrder } from './builder-commands.ts';
import type { ChosenBuilder } from './choose-builder.ts';

export interface RunBuilderOptions extends Abortable {
  /** Environment besides what every program gets. */
  env: Readonly<Record<string, string>>;
  report: ProgressReporter;
}

const KEPT_LINES = 200;
const IMAGE_ID = /^(?:sha256:)?([0-9a-f]{64})$/;

/**
 * Runs a builder to its end; returns the path of the OCI layout or archive that it left. All of its processes end with an abort.
 *
 * @throws UserError `IMAGE_BUILD_FAILED` with the last lines it printed; the signal's reason
 */
export async function runBuilder(
  builder: ChosenBuilder,
  order: BuildOrder,
  options: RunBuilderOptions,
): Promise<string> {
  const commands = BUILDERS[builder.name];
  const run = (args: string[]) => runStep(builder, { args, folder: order.contextFolder }, options);
  await run(commands.build(order));
  const imageId = IMAGE_ID.exec((await readFile(idFileOf(order), 'utf8')).trim())?.[1];
  if (imageId === undefined) {
    throw new UserError('IMAGE_BUILD_FAILED', `Cannot build an image: ${builder.name} did not tell its id`);
  }
  await run(commands.save(imageId, order));
  return commands.result(order);
}

async function runStep(
  { name, path }: ChosenBuilder,
  { args, folder }: { args: string[]; folder: string },
  { signal, env, report }: RunBuilderOptions,
): Promise<void> {
  const lines: string[] = [];
  const onLine = (line: string) => {
    if (line.trim() !== '') report.detail(line);
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  };
  // Not in a user namespace of ours: a builder without root makes its own.
  const group = { group: true, discardOutput: true, proxies: true };
  try {
    await runContained('none', [path, ...args], { ...group, cwd: folder, signal, env, onLine });
  } catch (error) {
    signal?.throwIfAborted();
    throw explainToolFailure(error, {
      action: `build an image with ${name}`,
      code: 'IMAGE_BUILD_FAILED',
      hint: 'the details have its last lines',
      output: lines.join('\n'),
    });
  }
}
