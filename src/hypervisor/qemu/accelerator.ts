import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { detectKvm, type KvmOverride } from '#host/capabilities.ts';
import { CommandError } from '#host/run-command.ts';
import { findTscKHz } from '#host/tsc-frequency.ts';
import type { Accelerator, QemuArchitecture } from './architecture.ts';

export interface AcceleratorChoice {
  accelerator: Accelerator;
  reason: string;
}

export async function chooseAccelerator(override: KvmOverride | undefined): Promise<AcceleratorChoice> {
  const kvm = await detectKvm({ override });
  return { accelerator: kvm.usable ? 'kvm' : 'tcg', reason: kvm.reason };
}

export interface TscSource extends Abortable {
  helperPath: string;
  cacheDir: string;
}

/**
 * The frequency that the guest must be told, undefined where it finds out by itself.
 *
 * @throws UserError `HOST_TOOL_MISSING` when it is needed and cannot be measured
 */
export async function tscFrequencyFor(
  architecture: QemuArchitecture,
  accelerator: Accelerator,
  source: TscSource,
): Promise<number | undefined> {
  if (accelerator === 'kvm' || !architecture.needsTscFrequency) return undefined;
  try {
    return await findTscKHz(source);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // Without the figure an emulated guest hangs on a busy host, now and then and for ever: better no machine than that one.
    throw new UserError(
      'HOST_TOOL_MISSING',
      `Cannot measure the clock for an emulated machine: ${error.message}`,
      {
        hint: 'make -C native',
        cause: error,
      },
    );
  }
}

/**
 * QEMU asks for pages of 2 MiB. An emulated guest is not faster with them on the whole, but its boot waits until the host has cleared each, or
 * has fetched it from a host of its own (ADR 10). With hardware they spare the CPU page walks.
 */
export function usesSmallPages(accelerator: Accelerator): boolean {
  return accelerator === 'tcg';
}
