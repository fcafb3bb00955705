import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isTimeout } from '#base/abort.ts';
import { guessScheme } from '#daemon/network/guess-scheme.ts';
import { runProcess } from '../../support/run-process.ts';

async function guess(server: Server, signal = AbortSignal.timeout(5000)) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dial = async () => {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return socket;
  };
  try {
    return await guessScheme(dial, { signal });
  } finally {
    server.close();
  }
}

/** Says this to whoever connects, as soon as they have said something. */
function speaking(words: string | Buffer): Server {
  return createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(words));
  });
}

async function newCertificate(): Promise<{ key: Buffer; cert: Buffer } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', '/CN=guest', '-keyout', key, '-out', cert];
    const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
    const { status } = await runProcess('openssl', ['req', ...kind, ...names], { env: process.env });
    return status === 0 ? { key: await readFile(key), cert: await readFile(cert) } : undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a web server speaks HTTP, whatever it thinks of the question', async () => {
  assert.equal(await guess(createHttpServer((_, response) => response.end('hi'))), 'http');
  assert.equal(await guess(createHttpServer((_, response) => response.writeHead(500).end())), 'http');
});

test('a server that answers TLS with a certificate of its own speaks HTTPS', async (t) => {
  const certificate = await newCertificate();
  if (!certificate) return t.skip('needs openssl');
  assert.equal(await guess(createHttpsServer(certificate, (_, response) => response.end('hi'))), 'https');
});

test('a server that calls plain HTTP a bad request is asked for TLS', async (t) => {
  assert.equal(await guess(speaking('HTTP/1.0 400 Bad Request\r\n\r\n')), 'http');
  const certificate = await newCertificate();
  if (!certificate) return t.skip('needs openssl');
  const https = createHttpsServer(certificate).listen(0, '127.0.0.1');
  await once(https, 'listening');
  const { port } = https.address() as AddressInfo;
  const either = createServer((socket) => {
    socket.once('data', (greeting: Buffer) => {
      if (greeting[0] !== 0x16) return socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      const inner = connect({ host: '127.0.0.1', port }).on('error', () => {});
      inner.write(greeting);
      return socket
        .on('error', () => inner.destroy())
        .pipe(inner)
        .pipe(socket);
    });
  });
  assert.equal(await guess(either), 'https');
  https.close();
});

test('others speak something else', async () => {
  assert.equal(await guess(speaking('SSH-2.0-OpenSSH_9.2\r\n')), undefined);
  assert.equal(
    await guess(speaking(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]))),
    undefined,
    'TLS that is no TLS',
  );
  assert.equal(await guess(createServer((socket) => socket.destroy())), undefined);
  assert.equal(
    await guess(
      createServer((socket) => {
        socket.once('data', () => socket.resetAndDestroy());
      }),
    ),
    undefined,
  );
});

test('one that says nothing is waited for no longer than the signal', async () => {
  const mute = createServer((socket) => socket.on('error', () => {}).resume());
  await assert.rejects(guess(mute, AbortSignal.timeout(100)), (error) => isTimeout(error));
});

test('one that says too much is not listened to for ever', async () => {
  const chatty = createServer((socket) => {
    socket.on('error', () => {});
    const talk = () => {
      while (socket.writable && socket.write('x'.repeat(65_536)));
    };
    socket.on('drain', talk);
    talk();
  });
  assert.equal(await guess(chatty), undefined);
});
