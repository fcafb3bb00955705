import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VmZone } from './vm-zone.ts';

function zoneWith(names: Record<string, string>): VmZone {
  const zone = new VmZone();
  for (const [name, address] of Object.entries(names)) zone.set(name, address);
  return zone;
}

const kindOf = (zone: VmZone, name: string) => zone.find(name)?.entry.kind;

test('a VM and every name below it have its address, in any case', () => {
  const zone = zoneWith({ demo: '127.77.3.4' });
  for (const name of ['demo.vm', 'DeMo.VM', 'app.demo.vm', 'a.b.demo.vm']) {
    assert.deepEqual(zone.find(name), {
      zone: 'vm',
      entry: { kind: 'record', type: 'A', data: '127.77.3.4' },
    });
  }
});

test('a name that only looks alike is not there', () => {
  const zone = zoneWith({ demo: '127.77.3.4' });
  for (const name of ['dem.vm', 'demos.vm', 'xdemo.vm', 'demo.other.vm']) {
    assert.equal(kindOf(zone, name), 'absent');
  }
  for (const name of ['.', 'demo', 'demo.vm.org', 'demovm', 'demo.xvm', 'vm.', 'localhost']) {
    assert.equal(zone.find(name), undefined, name);
  }
});

test('the way back from an address gives the name, and steps on the way there exist', () => {
  const zone = zoneWith({ demo: '127.77.3.4' });
  assert.deepEqual(zone.find('4.3.77.127.IN-ADDR.ARPA'), {
    zone: '77.127.in-addr.arpa',
    entry: { kind: 'record', type: 'PTR', data: 'demo.vm' },
  });
  assert.equal(kindOf(zone, '3.77.127.in-addr.arpa'), 'branch');
  assert.equal(kindOf(zone, '77.127.in-addr.arpa'), 'apex');
  for (const name of ['5.3.77.127', '33.77.127', '04.3.77.127', '1.4.3.77.127', 'x.77.127']) {
    assert.equal(kindOf(zone, `${name}.in-addr.arpa`), 'absent', name);
  }
  for (const name of ['4.3.78.127', '127', '1.0.0.127', '1.1.168.192']) {
    assert.equal(zone.find(`${name}.in-addr.arpa`), undefined, name);
  }
});

test('an address elsewhere has a name and no way back', () => {
  const zone = zoneWith({ demo: '172.16.0.2' });
  assert.equal(kindOf(zone, 'demo.vm'), 'record');
  assert.equal(zone.find('2.0.16.172.in-addr.arpa'), undefined);
});

test('what is set again is replaced, what is removed is gone, and each change counts', () => {
  const zone = zoneWith({ demo: '127.77.3.4' });
  const before = zone.serial;
  zone.set('demo', '127.77.5.6');
  assert.deepEqual(zone.find('demo.vm')?.entry, { kind: 'record', type: 'A', data: '127.77.5.6' });
  assert.equal(kindOf(zone, '4.3.77.127.in-addr.arpa'), 'absent');
  zone.remove('demo');
  zone.remove('demo');
  assert.equal(kindOf(zone, 'demo.vm'), 'absent');
  assert.equal(kindOf(zone, '6.5.77.127.in-addr.arpa'), 'absent');
  assert.equal(zone.serial, before + 2);
});

test('what no record could hold is refused', () => {
  const zone = new VmZone();
  assert.throws(() => zone.set('a.b', '127.77.0.1'), TypeError);
  assert.throws(() => zone.set('demo', '::1'), TypeError);
});
