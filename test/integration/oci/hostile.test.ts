import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import { makePullPlace } from './pull-place.ts';
import { ScriptedRegistry } from './scripted-registry.ts';
import { makeImage, makeIndex, sha256 } from './tiny-image.ts';

const image = makeImage(['the only layer']);
const [layer = Buffer.alloc(0)] = image.layers;
const [layerDigest = ''] = image.layerDigests;

async function setUp(t: TestContext) {
  const registry = await ScriptedRegistry.start(t, image);
  const place = await makePullPlace(t);
  const refuses = async (code: ErrorCode, condition: RegExp) => {
    await assert.rejects(place.pull(`${registry.host}/app`), (error) => {
      assert.ok(isUserError(error, code), String((error as Error).stack));
      assert.match(error.message, condition);
      return true;
    });
    const left = await readdir(place.folder, { recursive: true });
    const files = left.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => name.split('/').at(-1));
    assert.ok(!files.includes(layerDigest.slice(7)), 'nothing is left of what was refused');
  };
  return { ...place, registry, refuses };
}

/** An image of which one part of the manifest is another. */
function withManifest(
  registry: ScriptedRegistry,
  change: (manifest: Record<string, unknown>) => unknown,
): void {
  const manifest = JSON.parse(image.manifest.toString()) as Record<string, unknown>;
  registry.blobs.set('latest', Buffer.from(JSON.stringify(change(manifest))));
}

/** The one layer many times over, which the configuration says as well. */
function withLayers(registry: ScriptedRegistry, count: number): void {
  const repeated = makeImage(Array.from({ length: count }, () => 'the only layer'));
  for (const [digest, bytes] of repeated.blobs) registry.blobs.set(digest, bytes);
  registry.blobs.set('latest', repeated.manifest);
}

describe('a registry that lies', { timeout: 60_000 }, () => {
  it('about a layer’s content', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.blobs.set(layerDigest, Buffer.alloc(layer.length, 'x'));
    await refuses('DOWNLOAD_CORRUPT', /its digest is sha256:/);
  });

  it('about a layer’s size, which is larger', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.blobs.set(layerDigest, Buffer.concat([layer, Buffer.alloc(100_000)]));
    await refuses('DOWNLOAD_CORRUPT', /more than \d+ bytes/);
  });

  it('about a layer’s size, which is smaller', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.blobs.set(layerDigest, layer.subarray(0, 5));
    await refuses('DOWNLOAD_CORRUPT', /5 bytes instead of/);
  });

  it('about its configuration', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.blobs.set(sha256(image.config), Buffer.alloc(image.config.length, '{'));
    await refuses('DOWNLOAD_CORRUPT', /its digest is/);
  });

  it('about the manifest that a digest names', async (t) => {
    const { registry, pull } = await setUp(t);
    registry.blobs.set(image.manifestDigest, makeImage(['other']).manifest);
    await assert.rejects(pull(`${registry.host}/app@${image.manifestDigest}`), (error) =>
      isUserError(error, 'DOWNLOAD_CORRUPT'),
    );
  });

  it('about the manifest that its index names', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.blobs.set('latest', makeIndex([image]));
    registry.blobs.set(image.manifestDigest, makeImage(['other']).manifest);
    await refuses('DOWNLOAD_CORRUPT', /its digest is/);
  });
});

describe('a registry that sends too much', { timeout: 60_000 }, () => {
  it('in a manifest', async (t) => {
    const { registry, refuses } = await setUp(t);
    withManifest(registry, (manifest) => ({ ...manifest, annotations: { a: 'x'.repeat(4 * 2 ** 20) } }));
    await refuses('IMAGE_PULL_FAILED', /more than 4194304 bytes/);
  });

  it('in layers', async (t) => {
    const { registry, refuses } = await setUp(t);
    for (const count of [1000, 1001]) {
      withLayers(registry, count);
      await refuses(
        'IMAGE_PULL_FAILED',
        /^Cannot use the manifest: layers: Too big: expected array to have <=999 items$/,
      );
    }
  });

  it('but not in 999 layers', async (t) => {
    const { registry, pull } = await setUp(t);
    withLayers(registry, 999);
    using pulled = await pull(`${registry.host}/app`);
    assert.equal(pulled.layers.length, 999);
  });

  it('in a configuration', async (t) => {
    const { registry, refuses } = await setUp(t);
    withManifest(registry, (manifest) => ({
      ...manifest,
      config: { ...(manifest['config'] as object), size: 5 * 2 ** 20 },
    }));
    await refuses('IMAGE_PULL_FAILED', /configuration has 5242880 bytes/);
  });

  it('than the disk can hold', async (t) => {
    const { registry, refuses } = await setUp(t);
    withManifest(registry, (manifest) => ({
      ...manifest,
      layers: [{ ...(manifest['layers'] as object[])[0], size: 2 ** 52 }],
    }));
    await refuses('HOST_DISK_FULL', /its layers take 4096 TiB/);
  });

  it('in headers', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.script = (_, response) => {
      response.writeHead(200, { 'x-much': 'y'.repeat(100_000) }).end();
      return true;
    };
    await refuses('REGISTRY_UNREACHABLE', /[Oo]verflow/);
  });

  it('or configurations that do not fit the manifest', async (t) => {
    const { registry, refuses } = await setUp(t);
    withManifest(registry, (manifest) => ({
      ...manifest,
      layers: [...(manifest['layers'] as unknown[]), ...(manifest['layers'] as unknown[])],
    }));
    await refuses('IMAGE_PULL_FAILED', /2 layers, its configuration 1/);
  });
});

describe('a registry that stalls', { timeout: 60_000 }, () => {
  const patience = { attempts: 2, pauseMs: 1, maxRetryAfterMs: 100 };

  it('before it answers', async (t) => {
    const { registry, pull } = await setUp(t);
    registry.script = () => true;
    await assert.rejects(
      pull(`${registry.host}/app`, { stallMs: 200, patience }),
      (error) => isUserError(error, 'REGISTRY_UNREACHABLE') && /no answer within 0.2 s/.test(error.message),
    );
    assert.equal(registry.asked.length, patience.attempts);
  });

  it('in the middle of a layer: what came is gone on with', async (t) => {
    const { registry, pull } = await setUp(t);
    let isStalling = true;
    registry.script = (request, response) => {
      if (!isStalling || !request.url?.endsWith(layerDigest)) return false;
      response.writeHead(200, { 'content-length': layer.length }).write(layer.subarray(0, 7));
      return true;
    };
    const once = { ...patience, attempts: 1 };
    const beganMs = performance.now();
    await assert.rejects(
      pull(`${registry.host}/app`, { stallMs: 200, patience: once }),
      (error) => isUserError(error, 'REGISTRY_UNREACHABLE') && /no answer within/.test(error.message),
    );
    assert.ok(performance.now() - beganMs < 10_000);
    isStalling = false;
    (await pull(`${registry.host}/app`))[Symbol.dispose]();
    assert.equal(registry.asked.at(-1)?.range, 'bytes=7-');
  });

  it('until the user has enough', async (t) => {
    const { registry, pull } = await setUp(t);
    const controller = new AbortController();
    registry.script = (request, response) => {
      if (!request.url?.endsWith(layerDigest)) return false;
      response.writeHead(200).write(layer.subarray(0, 3));
      setTimeout(() => controller.abort(new Error('enough')), 50);
      return true;
    };
    await assert.rejects(
      pull(`${registry.host}/app`, { signal: controller.signal, stallMs: 30_000 }),
      /enough/,
    );
  });
});

describe('a registry that fails now and then', { timeout: 60_000 }, () => {
  it('is asked again, in the middle of a layer too', async (t) => {
    const { registry, pull } = await setUp(t);
    const failures = new Set(['/v2/app/manifests/latest', `/v2/app/blobs/${sha256(image.config)}`]);
    let isCut = false;
    registry.script = (request, response) => {
      if (failures.delete(request.url ?? '')) {
        response.writeHead(failures.size === 0 ? 429 : 503, { 'retry-after': '0' }).end();
        return true;
      }
      if (isCut || !request.url?.endsWith(layerDigest)) return false;
      isCut = true;
      response.writeHead(200, { 'content-length': layer.length });
      response.write(layer.subarray(0, 9), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    (await pull(`${registry.host}/app`))[Symbol.dispose]();
    assert.equal(registry.asked.at(-1)?.range, 'bytes=9-');
  });

  it('or does not know ranges', async (t) => {
    const { registry, pull } = await setUp(t);
    let isCut = false;
    registry.script = (request, response) => {
      if (!request.url?.endsWith(layerDigest)) return false;
      response.writeHead(200, { 'content-length': layer.length });
      if (isCut) response.end(layer);
      else response.write(layer.subarray(0, 9), () => setTimeout(() => response.destroy(), 20));
      isCut = true;
      return true;
    };
    (await pull(`${registry.host}/app`))[Symbol.dispose]();
  });

  for (const answer of ['another range', 'that there is no such range'] as const) {
    it(`or answers a range with ${answer}`, async (t) => {
      const { registry, pull } = await setUp(t);
      let isCut = false;
      registry.script = (request, response) => {
        if (!request.url?.endsWith(layerDigest)) return false;
        if (request.headers.range !== undefined) {
          const status = answer === 'another range' ? 206 : 416;
          response.writeHead(status, { 'content-range': 'bytes 2-3/9' }).end('xx');
          return true;
        }
        if (isCut) return false;
        isCut = true;
        response.writeHead(200, { 'content-length': layer.length });
        response.write(layer.subarray(0, 9), () => setTimeout(() => response.destroy(), 20));
        return true;
      };
      (await pull(`${registry.host}/app`))[Symbol.dispose]();
    });
  }

  it('is given up when it asks for too long a pause', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.script = (_, response) => {
      response
        .writeHead(429, { 'retry-after': '3600' })
        .end('{"errors":[{"message":"slow\\u001b[31m down"}]}');
      return true;
    };
    await refuses('REGISTRY_UNREACHABLE', /answered 429, "slow \[31m down"$/);
    assert.equal(registry.asked.length, 1);
  });
});

it('a mirror that lies is left for the registry', { timeout: 60_000 }, async (t) => {
  const { registry, pull } = await setUp(t);
  const mirror = await ScriptedRegistry.start(t, image);
  mirror.blobs.set(layerDigest, Buffer.alloc(layer.length, 'x'));
  const mirrors = { [registry.host]: [`http://${mirror.host}`] };
  using pulled = await pull(`${registry.host}/app`, { mirrors });
  assert.equal(pulled.layers[0]?.digest, layerDigest);
});
