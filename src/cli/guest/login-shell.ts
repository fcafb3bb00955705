/** The login shell of the guest's user: the agent sets SHELL from the user's entry. */
export const LOGIN_SHELL: readonly string[] = ['/bin/sh', '-c', 'exec "${SHELL:-/bin/sh}" -l'];
