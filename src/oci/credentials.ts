/** What opens a registry: name and password, or a token that stands for a login. */
export type Credentials = PasswordCredentials | { kind: 'identity-token'; token: string };

interface PasswordCredentials {
  kind: 'password';
  username: string;
  password: string;
}

export function basicAuthorization({ username, password }: PasswordCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
