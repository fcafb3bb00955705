import { nearest } from '#base/nearest.ts';
import { UserError } from '#contract/errors.ts';
import type { Kernel } from '#contract/owner/kernel.ts';

/**
 * The kernel that a reference means: the exact id or name, the newest that an entry of the catalog brought, else the only
 * one whose id or name begins so.
 *
 * @throws UserError `KERNEL_NOT_FOUND`, `INVALID_ARGUMENT` when it could mean several
 */
export function findKernelByReference(
  kernels: readonly Kernel[],
  recipes: readonly { name: string }[],
  reference: string,
): Kernel {
  const exact =
    kernels.find(({ id }) => id === reference) ??
    kernels.find(({ name }) => name === reference) ??
    kernels.find(({ recipe }) => recipe === reference);
  if (exact) return exact;
  const matches = kernels.filter(({ id, name }) => id.startsWith(reference) || name.startsWith(reference));
  const [only, ...others] = reference === '' ? [] : matches;
  if (only && others.length === 0) return only;
  if (only) throw ambiguous(reference, matches);
  const inCatalog = recipes.some(({ name }) => name === reference);
  const meant = nearest(
    reference,
    [...kernels, ...recipes].map(({ name }) => name),
  );
  throw new UserError(
    'KERNEL_NOT_FOUND',
    `Cannot find the kernel "${reference}": none here has this name or id`,
    {
      hint: inCatalog
        ? `banger kernel pull ${reference}`
        : `${meant ? `did you mean "${meant}"? See: ` : ''}banger kernel list`,
    },
  );
}

function ambiguous(reference: string, matches: readonly Kernel[]): UserError {
  const candidates = matches.map(({ name, id }) => `${name} (${id})`);
  return new UserError(
    'INVALID_ARGUMENT',
    `Cannot tell which kernel "${reference}" means: ${candidates.join(', ')}`,
    { hint: 'give more of the id or the name', details: { candidates } },
  );
}
