import { UserError } from '#contract/errors.ts';
import type { TreeNode } from './file-tree.ts';

/** The folder that e2fsck wants to find below the root. */
export const LOST_AND_FOUND = 'lost+found';

const EMPTY: TreeNode = {
  name: LOST_AND_FOUND,
  inode: {
    ...{ kind: 'directory', mode: 0o700, uid: 0, gid: 0, mtime: 0 },
    ...{ size: 0, target: '', major: 0, minor: 0 },
  },
  children: new Map(),
};

/** The same tree, with that folder if it lacks one. @throws UserError `IMAGE_BUILD_FAILED` when something else has its name */
export function withLostAndFound(root: TreeNode): TreeNode {
  const present = root.children?.get(LOST_AND_FOUND);
  if (present?.children) return root;
  if (present) {
    const condition = `"/${LOST_AND_FOUND}" is no folder, as ext4 wants it to be`;
    throw new UserError('IMAGE_BUILD_FAILED', `Cannot make the file system: ${condition}`);
  }
  return { ...root, children: new Map([...(root.children ?? []), [LOST_AND_FOUND, EMPTY]]) };
}
