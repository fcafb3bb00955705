import { UserError } from '#contract/errors.ts';

interface Named {
  id: string;
  name: string;
}

/**
 * The VM a reference means: the exact id or name first, then a prefix of either that matches exactly one.
 *
 * @throws UserError `USAGE` (empty), `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` (details.candidates)
 */
export function findVmByReference<T extends Named>(vms: readonly T[], reference: string): T {
  if (reference === '') {
    throw new UserError('USAGE', 'Cannot look up a VM: the reference is empty', { hint: 'banger vm list' });
  }
  const exact = vms.find((vm) => vm.id === reference) ?? vms.find((vm) => vm.name === reference);
  if (exact) return exact;
  const matches = vms.filter((vm) => vm.id.startsWith(reference) || vm.name.startsWith(reference));
  const [only] = matches;
  if (only && matches.length === 1) return only;
  if (matches.length > 1) {
    const candidates = matches.map((vm) => `${vm.name} (${vm.id})`);
    throw new UserError(
      'VM_REFERENCE_AMBIGUOUS',
      `Cannot tell which VM "${reference}" means: ${candidates.join(', ')}`,
      {
        hint: 'give more of the id or the name',
        details: { candidates },
      },
    );
  }
  throw new UserError('VM_NOT_FOUND', `Cannot find "${reference}": no VM has this name or id`, {
    hint: 'banger vm list',
  });
}
