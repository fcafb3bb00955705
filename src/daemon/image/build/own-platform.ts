import { UserError } from '#contract/errors.ts';
import { hostArchitecture } from '#oci/platform.ts';

/** `linux/amd64`, `amd64`, with a variant behind: what VMs of this host can run. @throws UserError `IMAGE_PLATFORM_MISSING` */
export function assertOwnPlatform(platform: string): void {
  const own = hostArchitecture();
  const [, architecture] = /^(?:linux\/)?([a-z0-9]+)(?:\/v\d+)?$/.exec(platform) ?? [];
  if (architecture === own) return;
  throw new UserError(
    'IMAGE_PLATFORM_MISSING',
    `Cannot build for "${platform}": VMs of this machine are linux/${own}`,
    { hint: 'leave --platform out' },
  );
}
