import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VmRun } from '#contract/owner/vm-run.ts';
import { parseSignal, serviceOf } from './service-of.ts';

test('a VM that does not run its command has no service', () => {
  assert.equal(serviceOf(null), undefined);
  assert.equal(serviceOf({ cmd: ['true'], isService: false, restart: 'no' }), undefined);
});

test('the service is all that the VM is run with', () => {
  const service = serviceOf({
    entrypoint: ['/entry'],
    cmd: ['serve', '--fast'],
    env: ['PATH=/bin', 'URL=a=b'],
    workingDir: '/srv',
    user: '7:8',
    stopSignal: 'SIGQUIT',
    isService: true,
    restart: 'always',
  });
  assert.deepEqual(service, {
    argv: ['/entry', 'serve', '--fast'],
    env: { PATH: '/bin', URL: 'a=b' },
    cwd: '/srv',
    user: '7:8',
    stopSignal: 3,
    restart: 'always',
    graceMs: 10_000,
  });
});

test('an image that names a signal which is none gets TERM, as with Docker', () => {
  const run: VmRun = { cmd: ['a'], isService: true, restart: 'no' };
  assert.equal(serviceOf({ ...run, stopSignal: 'SIGNONSENSE' })?.stopSignal, 15);
  assert.equal(serviceOf(run)?.stopSignal, 15);
});

for (const [text, signal] of [
  ['SIGQUIT', 3],
  ['quit', 3],
  ['9', 9],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
  ['SIGRTMIN', 34],
  ['SIGRTMIN-1', undefined],
  ['0', undefined],
  ['65', undefined],
  ['', undefined],
  ['SIGRTMAX+1', undefined],
  ['toString', undefined],
] as const) {
  test(`"${text}" is signal ${signal}`, () => assert.equal(parseSignal(text), signal));
}
