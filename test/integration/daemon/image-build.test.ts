import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { isUserError } from '#contract/errors.ts';
import { findProgram } from '#host/find-program.ts';
import { findProcessesByCommandLine } from '#host/proc.ts';
import type { BangerClient, BuildImageRequest } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { readExt4Entry, run } from '../image/ext4-entry.ts';

const SIZE = 64 * 2 ** 20;
const searchPath = process.env['PATH'] ?? '';
const [buildah, busybox] = await Promise.all(
  ['buildah', 'busybox'].map((name) => findProgram(name, searchPath)),
);
const skip =
  (buildah === undefined || busybox === undefined) &&
  'needs buildah and busybox-static: apt-get install them';

// Answers as docker does; what it "built" is what lies beside it.
const FAKE_DOCKER = `#!/bin/sh
set -eu
echo "$0 $*" >> "$DOCKER_LOG"
command=$1; shift
case "$command" in
  build)
    while [ $# -gt 1 ]; do [ "$1" = --iidfile ] && printf sha256:%064d 7 > "$2"; shift; done
    echo "building in $1"
    if [ -e "$1/fail" ]; then echo "ERROR: no space for nonsense" >&2; exit 3; fi
    if [ -e "$1/hang" ]; then sh -c 'sleep 98765 & trap "" TERM; wait; wait'; fi
    ;;
  save) cp "$(dirname "$0")/saved.tar" "$2" ;;
esac
`;

describe('images of Dockerfiles', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;

  const file = (name: string) => join(home.root, name);
  const write = async (name: string, text: string) => {
    await mkdir(join(file(name), '..'), { recursive: true });
    await writeFile(file(name), text);
  };
  const build = async (folder: string, request: Partial<BuildImageRequest> = {}) =>
    client.images.build({ context: file(folder), name: folder, sizeBytes: SIZE, ...request });
  const refuse = async (folder: string, request: Partial<BuildImageRequest>, code: string) => {
    await assert.rejects(
      build(folder, request).then((handle) => handle.result()),
      { code },
    );
  };
  const assertNothingLeft = async () => {
    const { images } = await client.images.list();
    assert.deepEqual(
      (await readdir(home.layout.imagesDir)).toSorted(),
      images.map(({ id }) => id).toSorted(),
    );
  };

  before(async () => {
    home = await FakeDaemonHome.create();
    const bin = file('bin');
    await mkdir(bin);
    await writeFile(join(bin, 'docker'), FAKE_DOCKER);
    await chmod(join(bin, 'docker'), 0o755);
    client = await home.start({ env: { PATH: `${bin}:${searchPath}` } });
  });
  after(async () => {
    client?.close();
    await home[Symbol.asyncDispose]();
  });

  describe('with buildah', { skip }, () => {
    const variables = () => ({
      CONTAINERS_STORAGE_CONF: file('storage.conf'),
      BUILDAH_ISOLATION: 'chroot',
      STORAGE_DRIVER: 'vfs',
    });
    const withBuildah = (folder: string, request: Partial<BuildImageRequest> = {}) =>
      build(folder, { builder: 'buildah', variables: variables(), ...request });

    before(async () => {
      const folders = `graphroot = "${file('graph')}"\nrunroot = "${file('runroot')}"\n`;
      await writeFile(file('storage.conf'), `[storage]\ndriver = "vfs"\n${folders}`);
      await write('app/Dockerfile', 'FROM scratch AS base\nCOPY busybox /bin/busybox\nARG GREETING=none\n');
      await writeFile(
        file('app/Dockerfile'),
        'RUN ["/bin/busybox", "sh", "-c", "echo $GREETING > /greeting"]\nENTRYPOINT ["/bin/busybox"]\nENV MADE=here\n' +
          'FROM base AS later\nENV STAGE=later\n',
        { flag: 'a' },
      );
      await copyFile(busybox ?? '', file('app/busybox'));
    });
    after(() => run('chmod', ['-R', 'u+rwX', file('graph')]).catch(() => undefined));

    it('a Dockerfile becomes an image with its configuration', async () => {
      const handle = await withBuildah('app', { buildArgs: ['GREETING=hello there'], target: 'base' });
      const seen: string[] = [];
      for await (const { stage } of handle) seen.push(stage);
      const image = await handle.result();
      assert.deepEqual([image.kind, image.source], ['build', `build:${file('app')}`]);
      assert.deepEqual(image.config?.entrypoint, ['/bin/busybox']);
      assert.ok(image.config?.env?.includes('MADE=here'));
      assert.ok(!image.config?.env?.includes('STAGE=later'));
      assert.ok(seen.includes('run-buildah'));
      const disk = join(home.layout.imagesDir, image.id, 'rootfs.ext4');
      assert.equal((await readExt4Entry(disk, '/bin/busybox')).type, 'regular');
      const { stdout } = await run('debugfs', ['-R', 'cat /greeting', disk]);
      assert.equal(stdout, 'hello there\n');
      const made = await readdir(join(home.layout.imagesDir, image.id));
      assert.deepEqual(made.toSorted(), ['layers', 'rootfs.ext4']);
    });

    it('a step that fails fails the build, with what it printed', async () => {
      await write('broken/Dockerfile', 'FROM scratch\nCOPY nowhere /x\n');
      const failure = await (await withBuildah('broken')).result().catch((error: unknown) => error);
      assert.ok(isUserError(failure, 'IMAGE_BUILD_FAILED'));
      assert.match(String(failure.details?.['output']), /nowhere/);
      await assertNothingLeft();
    });

    it('a cancelled build ends all that it started', async () => {
      await write(
        'endless/Dockerfile',
        'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "87654"]\n',
      );
      await copyFile(busybox ?? '', file('endless/busybox'));
      const sleepers = () => findProcessesByCommandLine((argv) => argv.includes('87654'));
      const handle = await withBuildah('endless');
      const signal = AbortSignal.timeout(30_000);
      await pollUntil(async () => (await sleepers()).length > 0 || undefined, { signal });
      await handle.cancel();
      await assert.rejects(handle.result(), { code: 'OPERATION_CANCELLED' });
      await pollUntil(async () => (await sleepers()).length === 0 || undefined, { signal });
      await assertNothingLeft();
    });
  });

  describe('with docker', () => {
    const withDocker = (folder: string, request: Partial<BuildImageRequest> = {}) =>
      build(folder, { builder: 'docker', variables: { DOCKER_LOG: file('docker.log') }, ...request });

    before(async () => {
      await run('sh', [
        '-c',
        'cd "$1"; mkdir root; echo x > root/x; tar -cf r.tar -C root .',
        'sh',
        home.root,
      ]);
      await (await client.images.import({ path: file('r.tar'), name: 'base', sizeBytes: SIZE })).result();
      await (await client.images.export('base', { path: file('layout'), format: 'oci' })).result();
      const target = `docker-archive:${file('bin/saved.tar')}`;
      await run('skopeo', ['copy', '--quiet', '--insecure-policy', `oci:${file('layout')}`, target]);
    });

    it('what it saved becomes an image', async () => {
      await write('served/Containerfile', 'FROM scratch\n');
      const image = await (await withDocker('served')).result();
      const disk = join(home.layout.imagesDir, image.id, 'rootfs.ext4');
      assert.equal((await readExt4Entry(disk, '/x')).type, 'regular');
      const [built = '', saved = ''] = (await readFile(file('docker.log'), 'utf8')).split('\n');
      assert.match(built, /docker build --file \S+\/served\/Containerfile --iidfile \S+ \S+\/served$/);
      assert.match(saved, new RegExp(`docker save --output \\S+ 0{63}7$`));
    });

    it('its failure is told with its last lines', async () => {
      await write('failing/Dockerfile', 'FROM scratch\n');
      await write('failing/fail', '');
      const failure = await (await withDocker('failing')).result().catch((error: unknown) => error);
      assert.ok(isUserError(failure, 'IMAGE_BUILD_FAILED'));
      assert.match(failure.message, /with docker: ERROR: no space for nonsense/);
    });

    it('a cancelled build ends its process group, and what ignores SIGTERM too', async () => {
      await write('hanging/Dockerfile', 'FROM scratch\n');
      await write('hanging/hang', '');
      const sleepers = () => findProcessesByCommandLine((argv) => argv.includes('98765'));
      const handle = await withDocker('hanging');
      const signal = AbortSignal.timeout(30_000);
      await pollUntil(async () => (await sleepers()).length > 0 || undefined, { signal });
      await handle.cancel();
      await assert.rejects(handle.result(), { code: 'OPERATION_CANCELLED' });
      await pollUntil(async () => (await sleepers()).length === 0 || undefined, { signal });
      await assertNothingLeft();
    });
  });

  it('what cannot be built is refused before anything runs', async () => {
    await write('empty/README', '');
    await write('plain/Dockerfile', 'FROM scratch\n');
    await refuse('empty', {}, 'IMAGE_SOURCE_INVALID');
    await refuse('nowhere', {}, 'IMAGE_SOURCE_INVALID');
    await refuse('plain', { file: file('plain/Other') }, 'IMAGE_SOURCE_INVALID');
    await refuse('plain', { platform: 'linux/s390x' }, 'IMAGE_PLATFORM_MISSING');
    await refuse('plain', { name: 'debian-bookworm' }, 'IMAGE_NAME_TAKEN');
    await refuse('plain', { name: 'no name' }, 'INVALID_NAME');
    await refuse('plain', { kernel: 'nowhere' }, 'KERNEL_NOT_FOUND');
    await refuse('plain', { buildArgs: ['--privileged'] }, 'INVALID_ARGUMENT');
    await refuse('plain', { variables: { LD_PRELOAD: '/x' } }, 'INVALID_ARGUMENT');
  });

  it('without a builder the hint names a package', async () => {
    await client.stopDaemon();
    client.close();
    await home.daemonGone();
    await rm(file('bin/docker'));
    await write('plain/Dockerfile', 'FROM scratch\n');
    client = await home.start({ env: { PATH: '/usr/sbin:/sbin' } });
    const failure = await build('plain', { builder: 'docker' }).catch((error: unknown) => error);
    assert.ok(isUserError(failure, 'HOST_TOOL_MISSING'));
    assert.match(failure.hint ?? '', /apt-get install docker/);
  });
});
