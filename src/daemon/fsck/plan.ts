import type { Finding } from '#contract/owner/fsck.ts';
import type { ArtifactLeftover } from '../image/artifact-folder.ts';
import type { Observed } from './observed.ts';
import { planVm } from './plan-vm.ts';

/** Everything that is not as the store says, with why, and what a repair would do about it. Looks at nothing itself. */
export function plan({ vms, artifacts, orphans }: Observed): Finding[] {
  return [...vms.flatMap(planVm), ...artifacts.map(artifactFinding), ...orphans.map(orphanFinding)];
}

/** Whether both are about the same thing; what they say of it may differ. */
export function isSameFinding(one: Finding, other: Finding): boolean {
  return (
    one.kind === other.kind && one.vm?.id === other.vm?.id && one.path === other.path && one.pid === other.pid
  );
}

export function artifactFinding({ of, kind, path }: ArtifactLeftover): Finding {
  if (kind === 'partial') return cutOff(of, path);
  if (of === 'work-seed') return unusedSeed(path);
  switch (kind) {
    case 'unknown':
      return {
        kind: `${of}-without-row`,
        severity: 'leftover',
        path,
        reason: `the store knows no ${of} with these files`,
        repair: 'removes the folder; what is missing is made again when it is needed',
      };
    case 'missing':
      return {
        kind: `${of}-without-files`,
        severity: 'damage',
        path,
        reason: `the store has ${anArtifact(of)} whose files are gone`,
        repair: `forgets the ${of}; the next VM that needs one makes it again`,
        hint: `VMs that were made with it cannot start`,
      };
  }
}

function cutOff(of: ArtifactLeftover['of'], path: string): Finding {
  return {
    kind: 'temporary-folder',
    severity: 'leftover',
    path,
    reason: `the building of ${anArtifact(of)} was cut off`,
    repair: 'removes the folder',
  };
}

function unusedSeed(path: string): Finding {
  return {
    kind: 'work-seed-unused',
    severity: 'leftover',
    path,
    reason: 'its image is gone, or has a newer work seed',
    repair: 'removes the folder',
  };
}

function anArtifact(of: ArtifactLeftover['of']): string {
  return { image: 'an image', kernel: 'a kernel', 'work-seed': 'a work seed' }[of];
}

function orphanFinding(path: string): Finding {
  return {
    kind: 'orphan',
    severity: 'info',
    path,
    reason: 'the files of a VM that the store did not know were put aside here',
    hint: 'look whether there is something in it that is needed, then remove it',
  };
}
