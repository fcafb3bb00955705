import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { findProgram } from '#host/find-program.ts';
import { runCommand } from '#host/run-command.ts';
import { VmNameServer } from '#dns/vm-name-server.ts';

const dig = await findProgram('dig', process.env['PATH'] ?? '');
const skip = dig === undefined && 'needs dig: apt-get install bind9-dnsutils';

/** Runs dig against a server that knows `demo` and `other`. */
async function digAt(t: TestContext): Promise<(words: string) => Promise<string>> {
  const server = new VmNameServer({ log: silentLogger, port: 0 });
  t.after(() => server.close());
  await server.start();
  server.set('demo', '127.77.3.4');
  server.set('other', '127.77.3.5');
  const where = ['@127.0.0.1', '-p', String(server.status().port), '+tries=1', '+time=5', '+norec'];
  return async (words) => {
    const { stdout } = await runCommand(dig ?? 'dig', [...where, ...words.split(' ')], { timeoutMs: 10_000 });
    assert.doesNotMatch(stdout, /WARNING|mismatch|malformed/i, stdout);
    return stdout;
  };
}

/** Response code, flags, and what the sections hold, as dig tells them. */
function read(output: string) {
  const records = (section: string) =>
    (new RegExp(`;; ${section} SECTION:\n((?:[^;\n].*\n)+)`).exec(output)?.[1] ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(/\s+/).join(' '));
  return {
    status: /status: (\w+)/.exec(output)?.[1],
    flags: /;; flags: ([^;]*);/.exec(output)?.[1],
    answer: records('ANSWER'),
    authority: records('AUTHORITY').map((line) => line.split(' ').slice(0, 6).join(' ')),
  };
}

const SOA = ['vm. 0 IN SOA vm. nobody.invalid.'];

describe('dig', { skip }, () => {
  for (const transport of ['+notcp', '+tcp']) {
    it(`finds names, and learns what is not there (${transport})`, async (t) => {
      const ask = await digAt(t);
      const question = async (words: string) => read(await ask(`${transport} ${words}`));
      assert.deepEqual(await question('DEMO.vm A'), {
        status: 'NOERROR',
        flags: 'qr aa',
        answer: ['DEMO.vm. 1 IN A 127.77.3.4'],
        authority: [],
      });
      assert.deepEqual((await question('a.b.demo.vm')).answer, ['a.b.demo.vm. 1 IN A 127.77.3.4']);
      assert.deepEqual((await question('-x 127.77.3.5')).answer, [
        '5.3.77.127.in-addr.arpa. 1 IN PTR other.vm.',
      ]);
      const nothing = { status: 'NOERROR', flags: 'qr aa', answer: [], authority: SOA };
      for (const words of ['demo.vm AAAA', 'demo.vm TYPE65', 'vm NS']) {
        assert.deepEqual(await question(words), nothing, words);
      }
      assert.deepEqual(await question('nobody.vm'), { ...nothing, status: 'NXDOMAIN' });
      assert.equal((await question('-x 127.77.9.9')).status, 'NXDOMAIN');
      for (const words of ['example.org', '-x 127.0.0.1', '-c CH -t TXT version.bind', 'demo.vm ANY -c CH']) {
        assert.deepEqual(await question(words), {
          status: 'REFUSED',
          flags: 'qr',
          answer: [],
          authority: [],
        });
      }
    });
  }

  it('speaks EDNS with it, and hears of versions that it does not know', async (t) => {
    const ask = await digAt(t);
    assert.match(await ask('+dnssec demo.vm'), /; EDNS: version: 0, flags: do; udp: 1232/);
    assert.match(await ask('+edns=5 +noednsneg demo.vm'), /status: BADVERS/);
    assert.doesNotMatch(await ask('+noedns demo.vm'), /EDNS/);
    assert.equal(read(await ask('+cookie +subnet=10.0.0.0/8 +padding=128 +nsid demo.vm')).status, 'NOERROR');
  });

  it('gets an operation that it does not know refused, and goes to TCP for what is long', async (t) => {
    const ask = await digAt(t);
    assert.equal(read(await ask('+noedns +opcode=NOTIFY demo.vm')).status, 'NOTIMP');
    const long = Array.from({ length: 4 }, () => 'a'.repeat(60)).join('.');
    const output = await ask(`+noedns ${long}.demo.vm`);
    assert.match(output, /\(TCP\)/);
    assert.equal(read(output).answer.length, 1);
  });

  it('keeps one TCP connection open for several questions', async (t) => {
    const ask = await digAt(t);
    const output = await ask('+tcp +keepopen +short demo.vm other.vm shop.demo.vm');
    assert.equal(output, '127.77.3.4\n127.77.3.5\n127.77.3.4\n');
  });
});
