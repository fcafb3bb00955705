import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishedPort, Vm } from '#contract/owner/vm.ts';
import type { ForwardState } from './forward-set.ts';
import type { GuestListener } from './guest-listeners.ts';
import { viewPorts } from './view-ports.ts';

const PUBLISHED: PublishedPort = {
  hostAddress: '127.0.0.1',
  hostPort: 8080,
  guestPort: 80,
  protocol: 'tcp',
};

function vm(differences: Partial<Vm> = {}): Vm {
  return {
    id: '0123456789ab',
    name: 'demo',
    state: 'running',
    spec: {
      image: 'debian-bookworm',
      vcpus: 1,
      memoryMiB: 512,
      diskBytes: 8 * 2 ** 30,
      network: 'user',
      autoRemove: false,
    },
    imageId: 'image',
    kernelId: 'kernel',
    hostAddress: '127.77.1.2',
    published: [PUBLISHED],
    createdAt: new Date(0).toISOString(),
    ...differences,
  };
}

function listener(differences: Partial<GuestListener> = {}): GuestListener {
  return { protocol: 'tcp', port: 80, addresses: ['0.0.0.0'], inodes: [1], ...differences };
}

function forwards(automatic: ForwardState | undefined, published: ForwardState = { active: true }) {
  return { automaticState: () => automatic, publishedState: () => published };
}

function viewOne(one: GuestListener, automatic: ForwardState | undefined, differences: Partial<Vm> = {}) {
  const facts = { vm: vm(differences), forwards: forwards(automatic), schemes: new Map() };
  return viewPorts({ ...facts, listeners: [one] }).ports[0];
}

test('a port that is forwarded has an address, a name, and where it was published', () => {
  const facts = { vm: vm(), forwards: forwards({ active: true }), schemes: new Map([[80, 'http' as const]]) };
  const view = viewPorts({ ...facts, listeners: [listener({ pid: 7, processName: 'nginx' })] });
  assert.deepEqual(view.ports, [
    {
      protocol: 'tcp',
      port: 80,
      addresses: ['0.0.0.0'],
      process: { pid: 7, name: 'nginx' },
      endpoint: '127.77.1.2:80',
      name: 'demo.vm:80',
      scheme: 'http',
      published: ['127.0.0.1:8080'],
    },
  ]);
  assert.deepEqual(view.published, [{ ...PUBLISHED, active: true }]);
});

test('one that is not says why', () => {
  const refused = { active: false, reason: 'the host keeps port 80 for root' } as const;
  assert.equal(viewOne(listener(), refused)?.reason, refused.reason);
  assert.equal(viewOne(listener(), refused)?.endpoint, undefined);
  assert.match(viewOne(listener(), undefined)?.reason ?? '', /more than 256/);
  assert.match(
    viewOne(listener({ addresses: ['127.0.0.53'] }), undefined)?.reason ?? '',
    /127\.0\.0\.53 alone/,
  );
  assert.match(viewOne(listener({ protocol: 'udp' }), undefined)?.reason ?? '', /where it is published/);
  assert.match(viewOne(listener(), undefined, { hostAddress: undefined })?.reason ?? '', /no network/);
});

test('a published port of the other protocol is not that of the listener', () => {
  assert.deepEqual(viewOne(listener({ protocol: 'udp' }), undefined)?.published, []);
});

test('of a VM that does not run only what is published is known', () => {
  const view = viewPorts({
    vm: vm({ state: 'stopped' }),
    forwards: undefined,
    listeners: [],
    schemes: new Map(),
  });
  assert.deepEqual(view.ports, []);
  assert.deepEqual(view.published, [{ ...PUBLISHED, active: false, reason: 'the VM is stopped' }]);
});
