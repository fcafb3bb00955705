import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { ExportFormat, RunConfig } from '#contract/owner/image.ts';
import { requireTools } from '#ext4/build-tools.ts';
import { findContainment, runContained } from '#ext4/containment.ts';
import { listTree } from '#ext4/list-tree.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { pathExists, temporaryPathFor } from '#host/files.ts';
import { digestOf, digestOfFile } from '#oci/digest.ts';
import { hostArchitecture } from '#oci/platform.ts';

export interface ExportSpec {
  /** Raw ext4. */
  rootDiskPath: string;
  name: string;
  config: RunConfig | undefined;
  /** What is made; nothing is there. */
  path: string;
  format: ExportFormat;
}

// The texts are fixed; names arrive as arguments. One process tree: what fakeroot remembers ends with it.
const DUMP_AND_PACK =
  'cd "$2" && mkdir root && debugfs -R "rdump / root" "$1" && ' +
  'xargs --null --no-run-if-empty --max-args=2 chmod -- < special-modes && ' +
  'tar --create --file rootfs.tar --directory root --numeric-owner --format=pax --sort=name --exclude=./lost+found . && ' +
  'chmod -R u+rwX root && rm -rf root';

/**
 * Writes an image as a tar or an OCI layout, under a temporary name first.
 *
 * @throws UserError `EXPORT_TARGET_TAKEN`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`, `IMAGE_BUILD_FAILED`
 */
export async function exportImage(spec: ExportSpec, options: Abortable): Promise<void> {
  const { path, format } = spec;
  if (await pathExists(path)) {
    throw new UserError('EXPORT_TARGET_TAKEN', `Cannot export to "${path}": something is there already`, {
      hint: 'remove it, or choose another place',
    });
  }
  const work = temporaryPathFor(path);
  try {
    await mkdir(work, { mode: 0o700 });
    const tar = await packRoot(spec, work, options);
    if (format === 'tar') await rename(tar, path);
    else await rename(await writeLayout(tar, spec, options), path);
  } catch (error) {
    options.signal?.throwIfAborted();
    const action = `export the image "${spec.name}"`;
    throw explainToolFailure(error, { action, code: 'IMAGE_BUILD_FAILED', hint: 'see the details' });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function packRoot(
  { rootDiskPath, name }: ExportSpec,
  work: string,
  options: Abortable,
): Promise<string> {
  await requireTools(`export the image "${name}"`, 'debugfs', 'tar', 'fakeroot', 'setpriv');
  await writeSpecialModes(rootDiskPath, work, options);
  const script = ['fakeroot', '--', 'sh', '-c', DUMP_AND_PACK, 'sh', rootDiskPath, work];
  await runContained(await findContainment(options), script, options);
  return `${work}/rootfs.tar`;
}

/** debugfs sets the mode of a file before its owner, and a new owner takes setuid and setgid bits away. */
async function writeSpecialModes(rootDiskPath: string, work: string, options: Abortable): Promise<void> {
  const entries = await listTree(rootDiskPath, { workFolder: work, ...options });
  const special = entries.filter(({ mode }) => (mode & SET_ID_BITS) !== 0);
  const words = special.flatMap(({ path, mode }) => [(mode & 0o7777).toString(8), `root${path}`]);
  await writeFile(`${work}/special-modes`, words.map((word) => `${word}\0`).join(''));
}

async function writeLayout(tar: string, spec: ExportSpec, options: Abortable): Promise<string> {
  const layout = `${dirname(tar)}/layout`;
  const blobs = `${layout}/blobs/sha256`;
  await mkdir(blobs, { recursive: true });
  const layerDigest = await digestOfFile(tar, options);
  const { size } = await stat(tar);
  await rename(tar, `${blobs}/${hexOf(layerDigest)}`);
  const putJson = async (document: unknown) => {
    const bytes = Buffer.from(JSON.stringify(document));
    await writeFile(`${blobs}/${hexOf(digestOf(bytes))}`, bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const config = await putJson(configDocument(spec.config, layerDigest));
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layerDigest, size };
  const manifest = await putJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [layer],
  });
  const annotations = { 'org.opencontainers.image.ref.name': basename(spec.name) };
  await writeFile(
    `${layout}/index.json`,
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: MANIFEST_TYPE, ...manifest, annotations }] }),
  );
  await writeFile(`${layout}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return layout;
}

const SET_ID_BITS = 0o6000;
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

function configDocument(config: RunConfig = {}, diffId: string) {
  return {
    architecture: hostArchitecture(),
    os: 'linux',
    config: {
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      Env: config.env,
      WorkingDir: config.workingDir,
      User: config.user,
      Labels: config.labels,
      ExposedPorts: config.exposedPorts && Object.fromEntries(config.exposedPorts.map((port) => [port, {}])),
      StopSignal: config.stopSignal,
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
