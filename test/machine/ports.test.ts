import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { BangerClient, ExecProcess, Vm } from 'banger';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];
/** Between listening in the guest and answering on the host. */
const REACHABLE_MS = 1000;

/** A web server; it says so on stdout when it listens. */
const WEB = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => $ARGV[1], LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die $!;
$| = 1; print "listening\\n";
while (my $client = $server->accept) {
  sysread $client, my $question, 4096;
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 8\\r\\nConnection: close\\r\\n\\r\\nit works";
  close $client;
}`;

/** Answers datagrams with what they say, in capitals. */
const UPPERCASE = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => $ARGV[0], Proto => 'udp') or die $!;
$| = 1; print "listening\\n";
while (my $peer = $server->recv(my $question, 65507)) { $server->send(uc $question, 0, $peer); }`;

async function fetch(host: string, port: number): Promise<string> {
  const question = request({ host, port, agent: false, timeout: 2000 }).end();
  const [response] = (await once(question, 'response')) as [IncomingMessage];
  return text(response);
}

/** Nobody listens. A listener without a guest behind it resets what it has accepted, perhaps before we hear that it did. */
async function isRefused(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const outcome = await once(socket, 'connect').then(
    () => false,
    (error: unknown) => systemErrorCode(error) === 'ECONNREFUSED',
  );
  socket.destroy();
  return outcome;
}

describe('ports of a real guest', () => {
  let home: TestHome;
  let client: BangerClient;
  let vm: Vm;

  before(async () => {
    home = await createMachineHome();
    await home.succeed(['vm', 'create', '--name', 'demo', ...SMALL]);
    client = await home.client();
    vm = await client.vms.get('demo');
  });
  after(async () => {
    client?.close();
    await home[Symbol.asyncDispose]();
  });

  /** Starts a program of the guest and waits until it says that it listens. */
  async function listen(program: string, ...words: string[]): Promise<ExecProcess> {
    const command = await client.vms.exec(vm.id, { argv: ['perl', '-e', program, ...words] });
    command.stderr.resume();
    const [said] = (await once(command.stdout, 'data', { signal: AbortSignal.timeout(20_000) })) as [Buffer];
    assert.equal(said.toString(), 'listening\n');
    return command;
  }

  async function end(command: ExecProcess): Promise<void> {
    command.kill(9);
    await command.wait();
  }

  for (const address of ['0.0.0.0', '127.0.0.1']) {
    it(`are reachable within a second of listening on ${address}, and gone with the listener`, async (t) => {
      const host = vm.hostAddress as string;
      assert.ok(await isRefused(host, 3000));
      const server = await listen(WEB, '3000', address);
      const listensAt = performance.now();
      const answer = await pollUntil(() => fetch(host, 3000).catch(() => undefined), {
        signal: AbortSignal.timeout(5000),
      });
      const elapsedMs = performance.now() - listensAt;
      t.diagnostic(`reachable after ${Math.round(elapsedMs)} ms`);
      assert.equal(answer, 'it works');
      assert.ok(elapsedMs < REACHABLE_MS, `it took ${Math.round(elapsedMs)} ms`);
      await end(server);
      await pollUntil(async () => ((await isRefused(host, 3000)) ? true : undefined), {
        signal: AbortSignal.timeout(3000),
      });
    });
  }

  it('are listed with their process, their addresses on the host, and a guess at what they speak', async () => {
    const server = await listen(WEB, '3000', '0.0.0.0');
    const begunAt = performance.now();
    const { text: json } = await home.succeed(['vm', 'ports', '--json', 'demo']);
    assert.ok(performance.now() - begunAt < 5000);
    const [{ ports }] = JSON.parse(json) as [{ ports: { port: number }[] }];
    assert.partialDeepStrictEqual(
      ports.find(({ port }) => port === 3000),
      {
        protocol: 'tcp',
        addresses: ['0.0.0.0'],
        process: { name: 'perl' },
        endpoint: `${vm.hostAddress}:3000`,
        name: 'demo.vm:3000',
        scheme: 'http',
      },
    );
    const { text: table } = await home.succeed(['vm', 'ports', 'demo']);
    assert.match(
      table,
      new RegExp(`3000/tcp +0\\.0\\.0\\.0 +perl \\(\\d+\\) +http://${vm.hostAddress}:3000`),
    );
    await end(server);
  });

  it('can be published, also while nobody listens', async () => {
    const { text: where } = await home.succeed(['vm', 'publish', 'demo', '18080:3000']);
    assert.equal(where, '127.0.0.1:18080');
    // A command of a daemon that is killed would end with it; a service of the guest does not.
    const service = ['systemd-run', '--quiet', '--unit=web', 'perl', '-e', WEB, '3000', '0.0.0.0'];
    await home.succeed(['vm', 'wait', '--for', 'systemd', '--timeout', '60s', 'demo']);
    await home.succeed(['vm', 'exec', 'demo', '--', ...service]);
    await home.succeed(['vm', 'wait', '--for', 'port:3000', '--timeout', '10s', 'demo']);
    assert.equal(await fetch('127.0.0.1', 18_080), 'it works');
    await home.killDaemon();
    await home.succeed(['vm', 'list']);
    client.close();
    client = await home.client();
    const answer = await pollUntil(() => fetch('127.0.0.1', 18_080).catch(() => undefined), {
      signal: AbortSignal.timeout(5000),
    });
    assert.equal(answer, 'it works', 'also by the next daemon');
    const taken = await home.cli(['vm', 'publish', 'demo', '18080:4000']);
    assert.equal(taken.status, 3);
    assert.match(taken.stderr, /PORT_TAKEN/);
    await home.succeed(['vm', 'unpublish', 'demo', '18080']);
    assert.ok(await isRefused('127.0.0.1', 18_080));
    await home.succeed(['vm', 'exec', 'demo', '--', 'systemctl', 'stop', 'web']);
  });

  it('can be published for UDP', async () => {
    await home.succeed(['vm', 'publish', 'demo', '18053:5300/udp']);
    const server = await listen(UPPERCASE, '5300');
    const peer = createSocket('udp4');
    for (const question of ['hello', 'x'.repeat(9000)]) {
      peer.send(question, 18_053, '127.0.0.1');
      const [answer] = (await once(peer, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer];
      assert.equal(answer.toString(), question.toUpperCase());
    }
    peer.close();
    await end(server);
  });
});
