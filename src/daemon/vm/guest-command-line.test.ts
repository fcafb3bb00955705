import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GuestNetwork } from '#network/network.ts';
import { guestCommandLine } from './guest-command-line.ts';

const NETWORK: GuestNetwork = {
  address: '10.77.0.2/24',
  gateway: '10.77.0.1',
  dns: ['10.77.0.1', 'fd00::1'],
  mtu: 1500,
  mac: '52:54:00:00:00:01',
};

/** As the agent does: words apart at white space, the value after the first `=`, `%XX` for a byte. */
function readCommandLine(line: string): Record<string, string> {
  const words = line.split(/[\s\0]+/).map((word) => word.split('='));
  return Object.fromEntries(words.map(([key, ...rest]) => [key, decodeURIComponent(rest.join('='))]));
}

test('a guest is told its name, its disks, the time and its network', () => {
  assert.deepEqual(guestCommandLine({ hostname: 'demo', network: NETWORK, now: 1_700_000_000_000 }), [
    'banger.hostname=demo',
    'banger.root=banger-root',
    'banger.modules=banger-modules',
    'banger.time=1700000000000',
    'banger.address=10.77.0.2/24',
    'banger.gateway=10.77.0.1',
    'banger.dns=10.77.0.1,fd00::1',
    'banger.mtu=1500',
  ]);
});

test('without a network nothing is said of one', () => {
  const keys = guestCommandLine({ hostname: 'demo', network: undefined, now: 0 }).map(
    (word) => word.split('=')[0],
  );
  assert.deepEqual(keys, ['banger.hostname', 'banger.root', 'banger.modules', 'banger.time']);
});

test('a network without name servers leaves that key out rather than empty', () => {
  const words = guestCommandLine({ hostname: 'demo', network: { ...NETWORK, dns: [] }, now: 0 });
  assert.equal(
    words.some((word) => word.startsWith('banger.dns')),
    false,
  );
  assert.ok(words.includes('banger.gateway=10.77.0.1'));
});

test('each byte of what is not plain is written on its own', () => {
  const [hostname] = guestCommandLine({ hostname: 'a b"é😀\n', network: undefined, now: 0 });
  assert.equal(hostname, 'banger.hostname=a%20b%22%C3%A9%F0%9F%98%80%0A');
});

const text = fc.string({ unit: 'binary', minLength: 1 });

test('whatever a value holds, the agent reads it back', () => {
  fc.assert(
    fc.property(text, text, fc.array(text, { minLength: 1 }), (hostname, gateway, dns) => {
      const network = { ...NETWORK, gateway, dns };
      const read = readCommandLine(guestCommandLine({ hostname, network, now: 1 }).join(' '));
      assert.equal(read['banger.hostname'], hostname);
      assert.equal(read['banger.gateway'], gateway);
      assert.equal(read['banger.dns'], dns.join(','));
    }),
  );
});

test('whatever a value holds, a word stays one word of plain characters', () => {
  const anything = fc.oneof(
    text,
    fc.string({ unit: fc.integer({ min: 0xd7f0, max: 0xe010 }).map((code) => String.fromCharCode(code)) }),
  );
  fc.assert(
    fc.property(anything, (hostname) => {
      for (const word of guestCommandLine({ hostname, network: undefined, now: 1 })) {
        assert.match(word, /^banger\.[a-z]+=[A-Za-z0-9.,:/_%-]+$/);
      }
    }),
  );
});
