import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { AgentClient } from '#guest/agent-client.ts';
import { describeAgent } from '#guest/conformance.ts';
import { FakeGuest } from '#guest/fake/fake-guest.ts';
import { VirtioSerialLink } from '#guest/virtio-serial/virtio-serial-link.ts';

const link = new VirtioSerialLink();

async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'banger-link-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { folder, socketPath: join(folder, 'guest.sock'), [Symbol.asyncDispose]: remove };
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(5000);
}

async function connect(socketPath: string): Promise<AgentClient> {
  return AgentClient.connect(await link.connect({ socketPath }, { signal: deadline() }), {
    signal: deadline(),
  });
}

describeAgent('the fake behind a socket', async () => {
  const { folder, socketPath, ...disposable } = await temporaryFolder();
  const guest = await FakeGuest.listen(socketPath);
  return {
    folder,
    open: () => link.connect({ socketPath }, { signal: deadline() }),
    async [Symbol.asyncDispose]() {
      await guest.close();
      await disposable[Symbol.asyncDispose]();
    },
  };
});

describe('VirtioSerialLink', () => {
  it('waits until the socket is there', async () => {
    await using temporary = await temporaryFolder();
    const connecting = link.connect(temporary, { signal: deadline() });
    await wait(30);
    const guest = await FakeGuest.listen(temporary.socketPath);
    const client = await AgentClient.connect(await connecting, { signal: deadline() });
    assert.equal(client.hello.bootId, guest.state.hello.bootId);
    await client.close();
    await guest.close();
  });

  it('says so when the socket does not accept in time', async () => {
    await using temporary = await temporaryFolder();
    const connecting = link.connect(temporary, { signal: AbortSignal.timeout(30) });
    await assert.rejects(connecting, (error) => isUserError(error, 'GUEST_LINK_UNREACHABLE'));
  });

  it('says so at once when the path is no socket that could ever accept', async () => {
    await using temporary = await temporaryFolder();
    const connecting = link.connect(
      { socketPath: join(temporary.folder, 'x'.repeat(200)) },
      { signal: deadline() },
    );
    await assert.rejects(connecting, (error) => isUserError(error, 'GUEST_LINK_UNREACHABLE'));
  });
});

describe('A guest behind a socket', () => {
  it('is found as soon as it has booted', async () => {
    await using temporary = await temporaryFolder();
    const guest = await FakeGuest.listen(temporary.socketPath, { booted: false });
    const connecting = connect(temporary.socketPath);
    await wait(50);
    const bootedAt = performance.now();
    guest.boot();
    const client = await connecting;
    assert.ok(performance.now() - bootedAt < 1000);
    await client.close();
    await guest.close();
  });

  it('serves the next host when the last one has gone', async () => {
    await using temporary = await temporaryFolder();
    const guest = await FakeGuest.listen(temporary.socketPath);
    const first = await connect(temporary.socketPath);
    const second = connect(temporary.socketPath);
    await first.close();
    const client = await second;
    assert.ok((await client.ping({ signal: deadline() })) > 0);
    await client.close();
    await guest.close();
  });

  it('loses the link when the hypervisor dies, in the middle of a command', async () => {
    await using temporary = await temporaryFolder();
    const guest = await FakeGuest.listen(temporary.socketPath);
    const client = await connect(temporary.socketPath);
    const command = await client.exec({ argv: ['cat'] });
    command.stdin.write('half');
    guest.dropConnection();
    const isLost = (error: unknown) => isUserError(error, 'GUEST_LINK_LOST');
    await assert.rejects(command.exited, isLost);
    await assert.rejects(text(command.stdout), isLost);
    assert.ok(isLost(await client.closed));
    await guest.close();
  });

  it('does not hold a host that gives up on a silent peer', async () => {
    await using temporary = await temporaryFolder();
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(temporary.socketPath, resolve));
    const stream = await link.connect(temporary, { signal: deadline() });
    const connecting = AgentClient.connect(stream, { signal: AbortSignal.timeout(30) });
    await assert.rejects(connecting, (error) => isUserError(error, 'GUEST_NOT_ANSWERING'));
    assert.equal(stream.destroyed, true);
    await new Promise((resolve) => silent.close(resolve));
  });
});
