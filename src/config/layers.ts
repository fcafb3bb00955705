import type { WrittenValue } from './config-key.ts';
import { KEY_NAMES, describeKey, type KeyName, type KeyValue } from './keys.ts';
import { readConfigFile, type ConfigFile, type FileSettings } from './read-file.ts';

/** Who says what counts: nobody (`default`), the system's file, or the user's, which wins. */
export type SettingSource = 'default' | 'system' | 'user';

export interface EffectiveSetting {
  key: KeyName;
  source: SettingSource;
  /** Undefined where no file says anything and something else decides. */
  written: WrittenValue | undefined;
  value: unknown;
}

export interface ConfigFiles {
  system: ConfigFile;
  user: ConfigFile;
}

/** What counts of every key. */
export class Settings {
  readonly #settings: ReadonlyMap<KeyName, EffectiveSetting>;

  private constructor(settings: readonly EffectiveSetting[]) {
    this.#settings = new Map(settings.map((setting) => [setting.key, setting]));
  }

  /** @throws UserError `CONFIG_INVALID` naming the file and every key that is wrong */
  static read(files: ConfigFiles): Settings {
    const layers = [
      ['user', readConfigFile(files.user)],
      ['system', readConfigFile(files.system)],
    ] as const;
    return new Settings(KEY_NAMES.map((key) => effectiveSetting(key, layers)));
  }

  static defaults(): Settings {
    return new Settings(KEY_NAMES.map((key) => effectiveSetting(key, [])));
  }

  list(): EffectiveSetting[] {
    return [...this.#settings.values()];
  }

  get(key: KeyName): EffectiveSetting {
    return this.#settings.get(key) ?? effectiveSetting(key, []);
  }

  /** As the daemon uses it; undefined where no file says anything and something else decides. */
  value<K extends KeyName>(key: K): KeyValue<K> | undefined {
    return this.get(key).value as KeyValue<K> | undefined;
  }
}

function effectiveSetting(
  key: KeyName,
  layers: readonly (readonly [SettingSource, FileSettings])[],
): EffectiveSetting {
  for (const [source, settings] of layers) {
    const setting = settings.get(key);
    if (setting) return { key, source, ...setting };
  }
  const { fallback, schema } = describeKey(key);
  const value = fallback === undefined ? undefined : schema.parse(fallback);
  return { key, source: 'default', written: fallback, value };
}
