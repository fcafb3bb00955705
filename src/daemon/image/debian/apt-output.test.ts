import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDownloadPercent, parseField, parseKernelDependency, parsePrintUris } from './apt-output.ts';

const HASH = 'e7d02b943971edcb8790e256c02cfab3bca6c3d37c1bf25392a57c71300615ee';

test('reads name, size and hash of a package file', () => {
  const output = `'http://mirror.example/pool/l/linux_6.1_amd64.deb' linux-image_1%3a6.1_amd64.deb 26713492 SHA256:${HASH}\n`;
  assert.deepEqual(parsePrintUris(output), {
    fileName: 'linux-image_1%3a6.1_amd64.deb',
    bytes: 26713492,
    sha256: HASH,
  });
});

test('takes nothing without a SHA-256, and no name that is a path', () => {
  assert.equal(
    parsePrintUris("'http://mirror.example/x.deb' x.deb 17 MD5Sum:00112233445566778899aabbccddeeff\n"),
    undefined,
  );
  assert.equal(parsePrintUris(''), undefined);
  const sly = parsePrintUris(`'http://mirror.example/x.deb' ../../x.deb 17 SHA256:${HASH}\n`);
  assert.equal(sly?.fileName.includes('/'), false);
});

test('reads a field of the first stanza only', () => {
  const output = 'Package: linux-image-cloud-amd64\nVersion: 6.1.192-2\n\nPackage: other\nDepends: nothing\n';
  assert.equal(parseField(output, 'Version'), '6.1.192-2');
  assert.equal(parseField(output, 'Depends'), undefined);
});

test('finds the kernel behind a metapackage', () => {
  assert.equal(
    parseKernelDependency('linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)'),
    'linux-image-6.1.0-56-cloud-amd64',
  );
  assert.equal(
    parseKernelDependency('linux-image-6.12.9+deb13-cloud-arm64 (= 6.12.9-1), linux-base'),
    'linux-image-6.12.9+deb13-cloud-arm64',
  );
  assert.equal(parseKernelDependency('linux-base (>= 4.3~)'), undefined);
});

test('reads the download status', () => {
  assert.equal(parseDownloadPercent('dlstatus:1:39.8700:Retrieving file 1 of 1'), 39.87);
  assert.equal(parseDownloadPercent('Get:1 http://mirror.example x [26.7 MB]'), undefined);
});
