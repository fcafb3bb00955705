import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListing } from './list-tree.ts';

const LISTING = `debugfs: ls -p "/"
/2/040755/0/0/.//
/2/040755/0/0/..//
/12/040500/0/0/odd name//
/0/000000/0/0//0/

debugfs: ls -p "/odd name"
/12/040500/0/0/.//
/2/040755/0/0/..//
/17/104755/5/6/su/2/
`;

test('reads paths and modes', () => {
  assert.deepEqual(parseListing(LISTING, ['/', '/odd name']), [
    { path: '/odd name', inode: 12, mode: 0o040500 },
    { path: '/odd name/su', inode: 17, mode: 0o104755 },
  ]);
});

const refused = {
  'a name with a line break that reads like another folder':
    '/17/100644/0/0/a\ndebugfs: ls -p "/../etc"\n/5/104755/0/0/x/1/',
  'a name with a line break that reads like another file': '/17/100644/0/0/a\n/5/104755/0/0/x/1/',
  'a name with a slash': '/17/100644/0/0/../../x/1/',
  'a second parent': '/17/040755/0/0/..//',
  'two files of one name': '/17/120777/0/0/a/1/\n/18/100644/0/0/a/1/',
  'a quote': '/17/040755/0/0/a"b//',
};
for (const [title, lines] of Object.entries(refused)) {
  test(`refuses ${title}`, () => {
    const text = `debugfs: ls -p "/"\n/2/040755/0/0/.//\n/2/040755/0/0/..//\n${lines}\n`;
    assert.throws(() => parseListing(text, ['/']), { code: 'IMAGE_SOURCE_INVALID' });
  });
}
