import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLI_PATH, LAUNCHER, REPOSITORY, type TestHome } from '../test/support/test-home.ts';
import { interleave, timeOfProcess } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { limitRow, type Row } from './report.ts';

const NODE = join(REPOSITORY, '.runtime/bin/node');
const LAUNCHER_MS = 5;

/** What the launcher adds, when nothing is stale, to the Node command that it ends as: the median of pairs. */
export async function benchLauncher(home: TestHome, rounds: number): Promise<Row> {
  const flags = await launcherFlags();
  const cache = { NODE_COMPILE_CACHE: join(home.layout.cacheDir, 'compile') };
  const launched = () => timeOfProcess(LAUNCHER, ['version'], home.env);
  const bare = () => timeOfProcess(NODE, [...flags, CLI_PATH, 'version'], { ...home.env, ...cache });
  // The first call may set up, the second reads what V8 compiled in the first.
  await interleave(2, { launched, bare });
  const samples = await interleave(rounds, { bare, launched });
  const added = samples.launched.map((ms, round) => ms - (samples.bare[round] ?? 0));
  const measured = {
    name: 'what the launcher adds, second call',
    unit: 'ms',
    floorName: 'its Node command alone',
    floor: distributionOf(samples.bare),
    ours: distributionOf(added),
  } as const;
  return limitRow(measured, LAUNCHER_MS, `<= ${LAUNCHER_MS} ms`);
}

async function launcherFlags(): Promise<string[]> {
  const line = /^exec "\$node" (.*) "\$root\/dist\/banger\.cjs"/m.exec(await readFile(LAUNCHER, 'utf8'));
  if (!line?.[1]) throw new Error('the launcher starts Node in another way');
  return line[1].split(' ');
}
