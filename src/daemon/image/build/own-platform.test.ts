import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostArchitecture } from '#oci/platform.ts';
import { assertOwnPlatform } from './own-platform.ts';

const own = hostArchitecture();

for (const platform of [`linux/${own}`, own, `linux/${own}/v8`]) {
  test(`${platform} is that of this machine`, () => assert.doesNotThrow(() => assertOwnPlatform(platform)));
}

for (const platform of ['linux/s390x', `windows/${own}`, `linux/${own},linux/s390x`, '', 'linux/']) {
  test(`"${platform}" is not`, () => {
    assert.throws(() => assertOwnPlatform(platform), { code: 'IMAGE_PLATFORM_MISSING' });
  });
}
