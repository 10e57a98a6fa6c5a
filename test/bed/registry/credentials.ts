import { run } from '@selvedge/hack/setup';

/** A user of the registry. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** One line of a password file, with bcrypt, the only hash that the registry takes. */
export async function htpasswdLine({ user, password }: Credentials, signal?: AbortSignal): Promise<string> {
  const { stdout } = await run({ argv: ['htpasswd', '-niB', user], input: password, signal });
  return `${stdout.trim()}\n`;
}

/** A Docker configuration with credentials for one registry (`10.60.0.1:5000`), as imagePullSecrets hold it. */
export function dockerConfig(host: string, { user, password }: Credentials): string {
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  return JSON.stringify({ auths: { [host]: { username: user, password, auth } } });
}
