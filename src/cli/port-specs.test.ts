import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { parsePublishSpec, parseUnpublishSpec } from './port-specs.ts';

test('a port of the host leads to one of the guest', () => {
  assert.deepEqual(parsePublishSpec('8080:80'), { hostPort: 8080, guestPort: 80 });
  assert.deepEqual(parsePublishSpec('5353:53/udp'), { hostPort: 5353, guestPort: 53, protocol: 'udp' });
  assert.deepEqual(parsePublishSpec('0.0.0.0:8080:80/tcp'), {
    hostAddress: '0.0.0.0',
    hostPort: 8080,
    guestPort: 80,
    protocol: 'tcp',
  });
});

test('what is given up is named by the side of the host', () => {
  assert.deepEqual(parseUnpublishSpec('8080'), { hostPort: 8080 });
  assert.deepEqual(parseUnpublishSpec('5353/udp'), { hostPort: 5353, protocol: 'udp' });
  assert.deepEqual(parseUnpublishSpec('127.0.0.1:8080/tcp'), {
    hostAddress: '127.0.0.1',
    hostPort: 8080,
    protocol: 'tcp',
  });
});

const REFUSED = {
  publish: [
    '',
    '80',
    'a:b',
    '0:80',
    '80:0',
    '65536:80',
    '80:80/sctp',
    '1.2.3.256:80:80',
    '1.2.3:80:80',
    '8080:80 ',
  ],
  unpublish: ['', 'http', '0', '70000', '80:80', '80/sctp', '300.1.1.1:80'],
};

for (const text of REFUSED.publish) {
  test(`"${text}" cannot be published`, () => {
    assert.throws(
      () => parsePublishSpec(text),
      (error) => isUserError(error, 'INVALID_ARGUMENT'),
    );
  });
}

for (const text of REFUSED.unpublish) {
  test(`"${text}" cannot be unpublished`, () => {
    assert.throws(
      () => parseUnpublishSpec(text),
      (error) => isUserError(error, 'INVALID_ARGUMENT'),
    );
  });
}
