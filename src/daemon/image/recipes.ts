import { DEFAULT_IMAGE } from '#contract/owner/vm.ts';
import { GiB } from '#base/sizes.ts';

/** A distribution's image that is built on this host from its signed archive. */
export interface Recipe {
  name: string;
  description: string;
  suite: string;
  /** What mmdebstrap begins with; `minbase` is the essential packages and apt. */
  variant: 'minbase' | 'extract';
  packages: readonly string[];
  sizeBytes: number;
}

const DEBIAN_PACKAGES = [
  'systemd',
  'systemd-sysv',
  'udev',
  'dbus',
  'openssh-server',
  'iproute2',
  'ca-certificates',
  'git',
  'curl',
  'less',
  'vim-tiny',
  'procps',
  'sudo',
  'kmod',
];

export const recipes: readonly Recipe[] = [
  {
    name: DEFAULT_IMAGE,
    description: 'Debian 12 with systemd, ssh, git and curl',
    suite: 'bookworm',
    variant: 'minbase',
    packages: DEBIAN_PACKAGES,
    sizeBytes: 8 * GiB,
  },
];
