import { formatSize } from '#base/sizes.ts';
import { formatValue } from '#config/command-line.ts';
import { toConfig } from '#config/config.ts';
import type { WrittenValue } from '#config/config-key.ts';
import { describeKey, type KeyName } from '#config/keys.ts';
import type { EffectiveSetting, Settings } from '#config/layers.ts';
import { resolveVmDefaults, type HostSize } from '#config/vm-defaults.ts';
import type { Environment } from '#base/environment.ts';

/** Who decides: nobody, the size of this host, the system's file, the user's file, or a variable. */
export type ShownSource = 'default' | 'host' | 'system' | 'user' | 'environment';

export interface ShownSetting {
  key: KeyName;
  /** Undefined where something else decides, which `otherwise` describes. */
  value: WrittenValue | undefined;
  otherwise?: string | undefined;
  source: ShownSource;
}

/** What counts of every key here and now, as the next daemon will see it. */
export function effectiveConfig(settings: Settings, host: HostSize, env: Environment): ShownSetting[] {
  const defaults = resolveVmDefaults(toConfig(settings).vmDefaults, host);
  const byHost: Partial<Record<KeyName, { value: number; source: string }>> = {
    'vm_defaults.vcpu': defaults.vcpus,
    'vm_defaults.memory_mib': defaults.memoryMiB,
  };
  return settings.list().map((setting) => {
    const decided = byHost[setting.key];
    if (setting.source === 'default' && decided) {
      return {
        key: setting.key,
        value: decided.value,
        source: decided.source === 'host' ? 'host' : 'default',
      };
    }
    return withVariable(setting, env);
  });
}

function withVariable({ key, written, source }: EffectiveSetting, env: Environment): ShownSetting {
  const variable = key === 'log_level' ? env['BANGER_LOG_LEVEL'] : undefined;
  if (variable) return { key, value: variable, source: 'environment' };
  return {
    key,
    value: written,
    source,
    ...(written === undefined && { otherwise: describeKey(key).otherwise }),
  };
}

/** For people; `config get` prints the value alone. */
export function showValue({ key, value, otherwise }: ShownSetting): string {
  if (value === undefined) return otherwise ?? '';
  if (key === 'vm_defaults.memory_mib')
    return `${formatValue(value)} (${formatSize(Number(value) * 2 ** 20)})`;
  return formatValue(value);
}
