import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { readIfThere, writeAtomically } from '../state/files.ts';
import {
  type Authority,
  type CertificateRequest,
  type KeyPair,
  newAuthority,
  newSigningKeys,
  openAuthority,
} from './certificate.ts';

/** Paths of one certificate. */
export interface KeyPairFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The cluster's certificates, on disk. */
export interface Pki {
  readonly ca: Authority;
  readonly caFile: KeyPairFiles;
  readonly frontProxyCaFile: KeyPairFiles;
  readonly serviceAccountKeys: { readonly privateKey: string; readonly publicKey: string };
  /** The certificate called `name`, made at first use. */
  ensure(
    name: string,
    request: CertificateRequest,
    by?: 'ca' | 'front-proxy-ca',
  ): Promise<KeyPair & KeyPairFiles>;
  /** Forgets a certificate. */
  remove(name: string): Promise<void>;
}

function pairFiles(folder: string, name: string): KeyPairFiles {
  return { certificateFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
}

/** Reads a pair, or makes and writes it, the certificate last: where it is, the key is too. */
async function ensurePair(files: KeyPairFiles, make: () => Promise<KeyPair>): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([
    readIfThere(files.certificateFile),
    readIfThere(files.keyFile),
  ]);
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  const made = await make();
  await writeAtomically(files.keyFile, made.key, 0o600);
  await writeAtomically(files.certificateFile, made.certificate);
  return made;
}

/** Opens the PKI below `folder` and makes what is missing of it: CA, front-proxy CA, service-account keys. */
export async function openPki(folder: string, clock: { now(): number }): Promise<Pki> {
  const authority = async (name: string, commonName: string): Promise<Authority> => {
    const pair = await ensurePair(pairFiles(folder, name), () => newAuthority(commonName, clock.now()));
    return openAuthority(pair, clock);
  };
  const authorities = {
    ca: await authority('ca', 'kubernetes'),
    'front-proxy-ca': await authority('front-proxy-ca', 'front-proxy-ca'),
  };
  const serviceAccountKeys = { privateKey: join(folder, 'sa.key'), publicKey: join(folder, 'sa.pub') };
  if ((await readIfThere(serviceAccountKeys.publicKey)) === undefined) {
    const keys = await newSigningKeys();
    await writeAtomically(serviceAccountKeys.privateKey, keys.privateKey, 0o600);
    await writeAtomically(serviceAccountKeys.publicKey, keys.publicKey);
  }
  const making = new Map<string, Promise<KeyPair>>();
  return {
    ca: authorities.ca,
    caFile: pairFiles(folder, 'ca'),
    frontProxyCaFile: pairFiles(folder, 'front-proxy-ca'),
    serviceAccountKeys,
    async ensure(name, request, by = 'ca') {
      if (name in authorities) throw new SelvedgeError(`${name} is an authority`, { code: 'Internal' });
      const files = pairFiles(folder, name);
      // Nodes that are made side by side ask for the same ones.
      const pair =
        making.get(name) ??
        ensurePair(files, () => authorities[by].issue(request)).finally(() => making.delete(name));
      making.set(name, pair);
      return { ...(await pair), ...files };
    },
    async remove(name) {
      const files = pairFiles(folder, name);
      await rm(files.certificateFile, { force: true });
      await rm(files.keyFile, { force: true });
    },
  };
}
