import { API_PREFIX } from '#contract/version.ts';

/** Of a VM in the API, or of what is below it. */
export function vmPath(reference: string, action?: string): string {
  const vm = `${API_PREFIX}/vms/${encodeURIComponent(reference)}`;
  return action === undefined ? vm : `${vm}/${action}`;
}
