import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translateHostFailure } from './host-failure.ts';

const systemError = (code: string) => Object.assign(new Error(code), { code });
const sqliteError = (errcode: number) =>
  Object.assign(new Error('sqlite'), { code: 'ERR_SQLITE_ERROR', errcode });

for (const [title, error, code] of [
  ['no space', systemError('ENOSPC'), 'HOST_DISK_FULL'],
  ['a disk that fails', sqliteError(10 | (3 << 8)), 'STATE_FOLDER_UNUSABLE'],
  ['no quota', systemError('EDQUOT'), 'HOST_DISK_FULL'],
  ['a read-only file system', systemError('EROFS'), 'STATE_FOLDER_UNUSABLE'],
  ['a store that cannot grow', sqliteError(13), 'HOST_DISK_FULL'],
  ['a store that cannot be written', sqliteError(8), 'STATE_FOLDER_UNUSABLE'],
  ['the same with more about it', sqliteError(8 | (3 << 8)), 'STATE_FOLDER_UNUSABLE'],
  ['a cause', new Error('wrapped', { cause: systemError('ENOSPC') }), 'HOST_DISK_FULL'],
  ['one of several', new AggregateError([new Error('other'), systemError('ENOSPC')]), 'HOST_DISK_FULL'],
  ['another system error', systemError('EACCES'), undefined],
  ['a constraint of the store', sqliteError(19), undefined],
  ['a bug', new TypeError('undefined is not a function'), undefined],
  ['no error at all', 'text', undefined],
] as const) {
  test(`${title}: ${code ?? 'not the host’s doing'}`, () => {
    assert.equal(translateHostFailure(error)?.code, code);
  });
}
