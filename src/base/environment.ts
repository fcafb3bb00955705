/** The variables that a program was started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The absolute path that a variable holds, without slashes at its end. A relative or empty one counts as unset, as XDG says. */
export function pathVariable(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value?.startsWith('/') ? value.replace(/\/+$/, '') : undefined;
}
