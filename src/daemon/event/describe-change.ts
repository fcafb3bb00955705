import { isDeepStrictEqual } from 'node:util';
import type { VmEventDetail, VmEventKind } from '#contract/owner/event.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { RecordNews } from '../vm/vm-registry.ts';

export interface ChangeDescription {
  kind: VmEventKind;
  detail: VmEventDetail;
}

/** What of a change is worth telling: nothing where a VM was only used, or got its address. */
export function describeChange({ before, after }: RecordNews): ChangeDescription[] {
  if (!before && !after) return [];
  if (!before) return [{ kind: 'created', detail: { state: after?.state } }];
  if (!after) return [{ kind: 'removed', detail: {} }];
  const changed = changedParts(before, after);
  return [
    ...(before.state === after.state && !hasNewError(before, after) ? [] : [describeState(before, after)]),
    ...(before.name === after.name
      ? []
      : [{ kind: 'renamed' as const, detail: { previousName: before.name } }]),
    ...(changed.length === 0 ? [] : [{ kind: 'changed' as const, detail: { changed } }]),
  ];
}

function describeState(before: VmRecord, after: VmRecord): ChangeDescription {
  const error = hasNewError(before, after) ? after.lastError : null;
  return {
    kind: 'state',
    detail: { state: after.state, previousState: before.state, ...(error && { error }) },
  };
}

/** Something can go wrong without changing the state: a VM that runs has lost its network. */
function hasNewError(before: VmRecord, after: VmRecord): boolean {
  return after.lastError !== null && !isDeepStrictEqual(after.lastError, before.lastError);
}

function changedParts(before: VmRecord, after: VmRecord): string[] {
  const names = new Set([...Object.keys(before.spec), ...Object.keys(after.spec)]) as Set<
    keyof VmRecord['spec']
  >;
  const changed: string[] = [...names].filter((name) => before.spec[name] !== after.spec[name]);
  return isDeepStrictEqual(before.published, after.published) ? changed : [...changed, 'published'];
}
