import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuestPort, VmPorts } from '#contract/owner/port.ts';
import { toPortRows } from './port-rows.ts';

const PUBLISHED = {
  hostAddress: '127.0.0.1',
  hostPort: 8080,
  guestPort: 3000,
  protocol: 'tcp',
  active: true,
} as const;

function ports(own: Partial<VmPorts> = {}, port: Partial<GuestPort> = {}): VmPorts {
  const one: GuestPort = {
    protocol: 'tcp',
    port: 3000,
    addresses: ['0.0.0.0', '::'],
    process: { name: 'node', pid: 7 },
    endpoint: '127.77.1.2:3000',
    published: [],
    ...port,
  };
  return { id: '1', vm: 'demo', state: 'running', ports: [one], published: [], ...own };
}

test('a port of a web server is a URL', () => {
  assert.deepEqual(toPortRows(ports({}, { scheme: 'http' })), [
    ['demo', '3000/tcp', '0.0.0.0, ::', 'node (7)', 'http://127.77.1.2:3000', '-', ''],
  ]);
});

test('one that cannot be reached says why, unless it was published', () => {
  const unreachable = { endpoint: undefined, reason: 'the host keeps port 80 for root' };
  assert.deepEqual(toPortRows(ports({}, unreachable))[0]?.slice(4), ['-', '-', unreachable.reason]);
  const published = ports({ published: [PUBLISHED] }, { ...unreachable, published: ['127.0.0.1:8080'] });
  assert.deepEqual(
    toPortRows(published).map((row) => row.slice(4)),
    [['-', '127.0.0.1:8080', '']],
  );
});

test('a published port has a row of its own while nothing listens behind it, or the host does not', () => {
  const idle = toPortRows(ports({ ports: [], published: [PUBLISHED] }));
  assert.deepEqual(idle, [
    ['demo', '3000/tcp', '-', '-', '-', '127.0.0.1:8080', 'nothing listens in the guest'],
  ]);
  const inactive = { ...PUBLISHED, active: false, reason: 'the VM is stopped' };
  assert.equal(toPortRows(ports({ ports: [], published: [inactive] }))[0]?.at(-1), 'the VM is stopped');
  assert.equal(toPortRows(ports({ published: [inactive] })).length, 2);
});

test('what a guest calls its processes obeys no terminal', () => {
  assert.equal(toPortRows(ports({}, { process: { name: 'a\u001b[31m', pid: 7 } }))[0]?.[3], 'a?[31m (7)');
  assert.equal(toPortRows(ports({}, { process: undefined }))[0]?.[3], '-');
});
