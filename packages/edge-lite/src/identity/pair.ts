import { type X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SelvedgeError, ifPresent, writeFileAtomic } from '@selvedge/kit';
import { certificatesOf } from '@selvedge/kit/x509';

/** The node's certificate chain and its private key, PEM. */
export interface Pair {
  readonly certificate: string;
  readonly privateKey: string;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export const nodeUser = (nodeName: string): string => `system:node:${nodeName}`;

/** Only the common name: `CN=…` on a line of its own, as Node prints a subject. */
function commonNameOf(certificate: X509Certificate): string | undefined {
  const line = certificate.subject.split('\n').find((one) => one.startsWith('CN='));
  return line?.slice('CN='.length);
}

const broken = (message: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(message, {
    code: 'Unauthenticated',
    hint: 'move it aside and join again with a bootstrap token',
    ...(cause === undefined ? {} : { cause }),
  });

/** Checks that chain and key belong together and to the node. Throws `Unauthenticated`. */
export function parsePair(chain: string, privateKey: string, nodeName: string): Pair {
  const [leaf] = certificatesOf(chain);
  if (leaf === undefined) throw broken('there is no certificate');
  if (!leaf.checkPrivateKey(createPrivateKey(privateKey))) throw broken('the certificate is of another key');
  const user = commonNameOf(leaf);
  if (user !== nodeUser(nodeName))
    throw broken(`the certificate is of ${user ?? 'nobody'}, not of ${nodeName}`);
  return {
    certificate: chain,
    privateKey,
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

/** PKCS #8 as we write it, and what the kubelet writes, whose certificate is the first one of a converted node. */
const keyBlock = /-----BEGIN ((?:EC |RSA )?PRIVATE KEY)-----[\s\S]+?-----END \1-----\n?/;

/** Reads the pair from its one file. Undefined if there is none; throws `Unauthenticated` on one that is unusable. */
export async function loadPair(path: string, nodeName: string): Promise<Pair | undefined> {
  const text = await ifPresent(readFile(path, 'utf8')).catch((error: unknown) => {
    throw broken(`cannot read the identity ${path}`, error);
  });
  if (text === undefined) return undefined;
  try {
    const privateKey = keyBlock.exec(text)?.[0] ?? '';
    const chain = certificatesOf(text).map((certificate) => certificate.toString());
    return parsePair(chain.join(''), privateKey, nodeName);
  } catch (cause) {
    throw broken(`the identity ${path} cannot be used`, cause);
  }
}

/** One file for both, so that there is never a new key beside an old certificate. */
export async function savePair(path: string, pair: Pair): Promise<void> {
  const certificate = pair.certificate.endsWith('\n') ? pair.certificate : `${pair.certificate}\n`;
  await writeFileAtomic(path, certificate + pair.privateKey, { mode: 0o600 });
}
