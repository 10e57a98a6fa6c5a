import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { SelvedgeError, type Clock } from '@selvedge/kit';
import { certificatesOf } from '@selvedge/kit/x509';

/** PEM. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Who the client is and whom it trusts, at one moment. */
export interface Credentials {
  /**
   * A name for whose credentials these are, where several use one transport. Those of one holder replace one another: his
   * connections of an earlier certificate drain. Requests of two holders never share a connection. Default: empty.
   */
  readonly holder?: string | undefined;
  /** PEM of the authorities that may have signed the server's certificate. Absent: the system's. */
  readonly certificateAuthority?: string | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
  readonly bearerToken?: string | undefined;
}

/**
 * Asked before each request, so it must be cheap. While the certificates are the same objects or equal text the
 * connection is kept; when they change, new requests take a new connection and the old one drains.
 */
export type CredentialSource = (signal: AbortSignal) => Promise<Credentials>;

/** A value given as text or as the path of a file that may be replaced at any time. */
export type TextOrFile = { readonly text: string } | { readonly file: string };

export interface CredentialFiles {
  readonly certificateAuthority?: TextOrFile | undefined;
  /** Both or neither. */
  readonly certificate?: TextOrFile | undefined;
  readonly privateKey?: TextOrFile | undefined;
  readonly bearerToken?: TextOrFile | undefined;
}

export interface CredentialFilesOptions extends CredentialFiles {
  /** How often the files are looked at, at most, in milliseconds. Default 1,000. */
  readonly checkEveryMs?: number;
}

/** Credentials that never change. */
export function staticCredentials(credentials: Credentials): CredentialSource {
  return async () => credentials;
}

/** Another text after each replacement of the file. */
export async function stampOf(file: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(file);
  return `${ino}:${size}:${mtimeMs}`;
}

function filesOf(options: CredentialFiles): readonly string[] {
  const all = [options.certificateAuthority, options.certificate, options.privateKey, options.bearerToken];
  return all.flatMap((one) => (one !== undefined && 'file' in one ? [one.file] : []));
}

async function read(value: TextOrFile | undefined): Promise<string | undefined> {
  if (value === undefined) return undefined;
  return 'text' in value ? value.text : readFile(value.file, 'utf8');
}

/** Refuses a pair of which only one file was replaced so far. */
async function readPair(options: CredentialFiles): Promise<ClientCertificate | undefined> {
  const [certificate, privateKey] = [await read(options.certificate), await read(options.privateKey)];
  if (certificate === undefined || privateKey === undefined) return undefined;
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) {
    throw new SelvedgeError('the client certificate is of another key', { code: 'Unauthenticated' });
  }
  return { certificate, privateKey };
}

const begin = '-----BEGIN CERTIFICATE-----';

/** Refuses a file that is empty, cut off or no PEM: TLS takes it without a word, and trusts nobody from then on. */
async function readAuthority(value: TextOrFile | undefined): Promise<string | undefined> {
  const text = await read(value);
  if (text === undefined || value === undefined || 'text' in value) return text;
  const parsed = certificatesOf(text);
  if (parsed.length === 0 || parsed.length !== text.split(begin).length - 1) {
    throw new SelvedgeError(`${value.file} is no whole file of certificates`, { code: 'Invalid' });
  }
  return text;
}

async function readAll(options: CredentialFiles): Promise<Credentials> {
  const token = await read(options.bearerToken);
  return {
    certificateAuthority: await readAuthority(options.certificateAuthority),
    clientCertificate: await readPair(options),
    bearerToken: token?.trim(),
  };
}

export interface CredentialFilesDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told why a replacement cannot be used, once for each. Must not throw. Default: nobody is told. */
  readonly onUnusable?: ((error: SelvedgeError) => void) | undefined;
}

/**
 * Credentials from files that are read again when they were replaced. While a replacement cannot be read, or holds no
 * certificates, the last good ones stay in use; the first read rejects with `Unauthenticated`.
 */
export function fileCredentials(
  options: CredentialFilesOptions,
  deps: CredentialFilesDeps,
): CredentialSource {
  const files = filesOf(options);
  let last: { readonly stamp: string; readonly credentials: Credentials } | undefined;
  let unusable: string | undefined;
  let checkedAt = -Infinity;
  const refuse = (stamp: string, cause: unknown): Credentials => {
    const error = new SelvedgeError('cannot read the credentials', { code: 'Unauthenticated', cause });
    if (last === undefined) throw error;
    if (unusable !== stamp) deps.onUnusable?.(error);
    unusable = stamp;
    return last.credentials;
  };
  return async () => {
    if (last !== undefined && deps.clock.monotonicMs() - checkedAt < (options.checkEveryMs ?? 1_000)) {
      return last.credentials;
    }
    checkedAt = deps.clock.monotonicMs();
    let stamp = 'a file that is not there';
    try {
      stamp = (await Promise.all(files.map(stampOf))).join(' ');
      if (last?.stamp !== stamp) last = { stamp, credentials: await readAll(options) };
      unusable = undefined;
      return last.credentials;
    } catch (cause) {
      return refuse(stamp, cause);
    }
  };
}
