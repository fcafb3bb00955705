import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { ExportFormat, RunConfig } from '#contract/owner/image.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { pathExists, temporaryPathFor } from '#host/files.ts';
import { digestOf, digestOfFile, hexOf } from '#oci/digest.ts';
import { hostArchitecture } from '#oci/platform.ts';
import { imageTar } from './image-tar.ts';
import { openSettled } from './settled-disk.ts';

export interface ExportSpec {
  /** Raw ext4. */
  rootDiskPath: string;
  name: string;
  config: RunConfig | undefined;
  /** What is made; nothing is there. */
  path: string;
  format: ExportFormat;
}

/**
 * Writes an image as a tar or an OCI layout, under a temporary name first.
 *
 * @throws UserError `EXPORT_TARGET_TAKEN`, `HOST_DISK_FULL`, `IMAGE_SOURCE_INVALID`, `IMAGE_TOO_LARGE`; the signal's reason
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

async function packRoot({ rootDiskPath }: ExportSpec, work: string, { signal }: Abortable): Promise<string> {
  const path = `${work}/rootfs.tar`;
  await using reader = await openSettled(rootDiskPath, work, { signal });
  await pipeline(imageTar(reader, { signal }), createWriteStream(path, { flags: 'wx', mode: 0o600 }), {
    ...(signal && { signal }),
  });
  return path;
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
