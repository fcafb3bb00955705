import type { VmEvent } from '#contract/owner/event.ts';
import { formatUptime } from './elapsed.ts';
import { printable } from './output/printable.ts';

/** One line: when, which VM, what. */
export function describeEvent(event: VmEvent): string {
  return `${event.at}  ${event.vm.name}  ${printable(whatHappened(event)).replaceAll('\n', ' ')}`;
}

function whatHappened({ kind, state, previousState, previousName, changed, idleMs, error }: VmEvent): string {
  switch (kind) {
    case 'created':
      return 'created';
    case 'removed':
      return 'removed';
    case 'renamed':
      return `renamed, was ${previousName ?? 'called otherwise'}`;
    case 'changed':
      return `changed: ${changed?.join(', ') ?? 'something'}`;
    case 'stale':
      return `nobody used it for ${formatUptime(idleMs ?? 0)}: stopping it`;
    case 'state': {
      const why = error === undefined ? '' : `: ${error.message} [${error.code}]`;
      return `${state ?? 'another state'}, was ${previousState ?? 'in another'}${why}`;
    }
  }
}
