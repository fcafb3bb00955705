import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { proxyOf, usableUrl } from './proxy.ts';

test('no proxy where none is asked for, or an empty one', () => {
  assert.equal(proxyOf({}), undefined);
  assert.equal(proxyOf({ HTTPS_PROXY: '', HTTP_PROXY: 'http://plain' }), undefined);
});

test('the lower-case name wins, and this machine is never behind it', () => {
  const environment = { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1', NO_PROXY: '.example' };
  const proxy = proxyOf(environment);
  assert.equal(proxy?.url, 'http://a:1');
  assert.match(proxy?.bypass ?? '', /^localhost,127\.0\.0\.1,.*,\.example$/);
});

test('a proxy needs no scheme, and not one that nobody speaks', () => {
  assert.equal(usableUrl({ url: 'proxy.example:3128', bypass: '' }), 'http://proxy.example:3128');
  for (const url of ['socks5://user:secret@a:1', 'http://', 'a b']) {
    assert.throws(
      () => usableUrl({ url, bypass: '' }),
      (error) => isUserError(error, 'CONFIG_VALUE_INVALID') && !error.message.includes('secret'),
    );
  }
});
