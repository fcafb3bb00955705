import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GiB } from '#base/sizes.ts';
import { runCommand } from '#host/run-command.ts';
import type { BangerClient } from '#sdk/index.ts';
import { push, startRegistry } from '../test/integration/oci/debian-registry.ts';
import { makeImage } from '../test/integration/oci/tiny-image.ts';
import type { TestHome } from '../test/support/test-home.ts';
import { largeFiles, smallFiles } from './image-content.ts';
import { deadlineFor, timeOf } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { peakOf, type Peak } from './process-memory.ts';
import { limitRow, ratioRow, type Row } from './report.ts';

const ATMOST = { pull: 1.2, secondPull: 0.6, memoryMiB: 200 };
const DISK_BYTES = 8 * GiB;

interface Samples {
  ours: number[];
  floor: number[];
  peaks: Peak[];
}

interface Place {
  home: TestHome;
  client: BangerClient;
  registry: string;
}

/** From a registry on this machine to an ext4 file that boots, beside what root does with skopeo, umoci and mkfs. */
export async function benchImages(home: TestHome, client: BangerClient, rounds: number): Promise<Row[]> {
  await using cleanUp = new AsyncDisposableStack();
  const registry = await startRegistry({ after: (step) => cleanUp.defer(step) });
  const place = { home, client, registry };
  await push([makeImage([smallFiles()])], `${registry}/small:1`);
  await push([makeImage(largeFiles())], `${registry}/large:1`);
  await push([makeImage(largeFiles(1))], `${registry}/large:2`);
  const small = await comparePulls(place, 'small:1', rounds);
  const large = await comparePulls(place, 'large:1', rounds);
  const second = await compareSecondPull(place, rounds);
  return [...rowsOf('100,000 small files', small), ...rowsOf('500 MiB in 20 files', large), second];
}

async function comparePulls(place: Place, image: string, rounds: number): Promise<Samples> {
  const samples: Samples = { ours: [], floor: [], peaks: [] };
  const { pid } = await place.client.host();
  for (let round = 0; round < rounds; round += 1) {
    samples.floor.push(await timeOfTools(place, image));
    let ours = 0;
    samples.peaks.push(await peakOf(pid, async () => (ours = await timeOfPull(place, image))));
    samples.ours.push(ours);
    await forget(place.client, image);
  }
  return samples;
}

/** The second image has all but one of the first one's layers. */
async function compareSecondPull(place: Place, rounds: number): Promise<Row> {
  const first: number[] = [];
  const second: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    first.push(await timeOfPull(place, 'large:1'));
    second.push(await timeOfPull(place, 'large:2'));
    await place.client.images.delete('large-2');
    await forget(place.client, 'large:1');
  }
  const [floor, ours] = [distributionOf(first), distributionOf(second)];
  const name = 'pull what shares all but one layer';
  return ratioRow(
    { name, unit: 'ms', floorName: 'the first pull', floor, ours },
    { atMost: ATMOST.secondPull },
  );
}

function rowsOf(name: string, { ours, floor, peaks }: Samples): Row[] {
  const pull = {
    name: `pull, ${name}`,
    unit: 'ms',
    floorName: 'skopeo, umoci and mkfs as root',
    floor: distributionOf(floor),
    ours: distributionOf(ours),
  } as const;
  const memory = {
    name: `daemon’s peak memory, ${name}`,
    unit: 'MiB',
    floorName: 'its helpers’',
    floor: distributionOf(peaks.map(({ helpersMiB }) => helpersMiB)),
    ours: distributionOf(peaks.map(({ ownMiB }) => ownMiB)),
  } as const;
  return [
    ratioRow(pull, { atMost: ATMOST.pull }),
    limitRow(memory, ATMOST.memoryMiB, `<= ${ATMOST.memoryMiB} MiB`),
  ];
}

const nameOf = (image: string) => image.replace(':', '-');

function timeOfPull({ client, registry }: Place, image: string): Promise<number> {
  const reference = `${registry}/${image}`;
  const signal = deadlineFor(`a pull of ${image}`);
  return timeOf(async () => {
    const request = { reference, name: nameOf(image), insecureHttp: true, sizeBytes: DISK_BYTES };
    await (await client.images.pull(request, { signal, cancelOnAbort: true })).result();
  });
}

async function forget(client: BangerClient, image: string): Promise<void> {
  await client.images.delete(nameOf(image));
  await client.images.pruneCache();
}

async function timeOfTools({ home, registry }: Place, image: string): Promise<number> {
  const folder = join(home.root, 'tools');
  await mkdir(folder);
  try {
    return await timeOf(() => makeWithTools(`${registry}/${image}`, folder));
  } finally {
    // Not by Node, whose memory is nobody's business here, but whose time would be.
    await runCommand('rm', ['-rf', folder]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeWithTools(reference: string, folder: string): Promise<void> {
  const options = { signal: deadlineFor(`making an ext4 of ${reference} with tools`) };
  const layout = `${folder}/layout:image`;
  const copy = ['copy', '--quiet', '--insecure-policy', '--src-tls-verify=false'];
  await runCommand('skopeo', [...copy, `docker://${reference}`, `oci:${layout}`], options);
  await runCommand('umoci', ['unpack', '--image', layout, `${folder}/bundle`], options);
  const disk = await open(`${folder}/rootfs.ext4`, 'wx');
  await disk.truncate(DISK_BYTES);
  await disk.close();
  await runCommand(
    'mkfs.ext4',
    ['-q', '-F', '-d', `${folder}/bundle/rootfs`, `${folder}/rootfs.ext4`],
    options,
  );
}
