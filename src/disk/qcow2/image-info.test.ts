import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageInfo } from './image-info.ts';

const overlay = {
  format: 'qcow2',
  'virtual-size': 1_073_741_824,
  'full-backing-filename': '/images/base.raw',
  'backing-filename-format': 'raw',
  'format-specific': { type: 'qcow2', data: { compat: '1.1', corrupt: false } },
};

test('an overlay on a raw base is understood', () => {
  assert.deepEqual(parseImageInfo(JSON.stringify(overlay)), {
    sizeBytes: 1_073_741_824,
    basePath: '/images/base.raw',
  });
});

for (const [title, change] of Object.entries({
  'another format': { format: 'raw' },
  'no base': { 'full-backing-filename': undefined },
  'a base whose format would be probed': { 'backing-filename-format': undefined },
  'a qcow2 base': { 'backing-filename-format': 'qcow2' },
  'marked as corrupt': { 'format-specific': { data: { corrupt: true } } },
  'data in another file': { 'format-specific': { data: { corrupt: false, 'data-file': '/etc/passwd' } } },
})) {
  test(`not a root disk: ${title}`, () => {
    assert.equal(parseImageInfo(JSON.stringify({ ...overlay, ...change })), undefined);
  });
}

test('not JSON', () => {
  assert.equal(parseImageInfo('qemu-img: no'), undefined);
});
