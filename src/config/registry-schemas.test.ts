import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFilesSchema, mirrorsSchema } from './registry-schemas.ts';

test('mirrors are kept for each registry, in order', () => {
  const items = [
    'docker.io=https://one.example/hub',
    'ghcr.io=http://127.0.0.1:5000',
    'docker.io=https://two.example',
  ];
  assert.deepEqual(mirrorsSchema.parse(items), {
    'docker.io': ['https://one.example/hub', 'https://two.example'],
    'ghcr.io': ['http://127.0.0.1:5000'],
  });
  assert.deepEqual(mirrorsSchema.parse('docker.io=https://one.example'), {
    'docker.io': ['https://one.example'],
  });
});

for (const text of [
  'https://one.example',
  'docker.io=one.example',
  '=https://one.example',
  'docker.io=https://',
]) {
  test(`"${text}" is no mirror`, () => {
    assert.equal(mirrorsSchema.safeParse([text]).success, false);
  });
}

test('certificates are files by absolute path', () => {
  assert.deepEqual(certificateFilesSchema.parse('/etc/ca.pem'), ['/etc/ca.pem']);
  assert.equal(certificateFilesSchema.safeParse(['ca.pem']).success, false);
});
