import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@selvedge/hack/setup';
import { type Credentials, dockerConfig } from './credentials.ts';

export interface RemoteImage {
  /** `10.60.0.1:5000/busybox:1`. */
  readonly reference: string;
  /** PEM. */
  readonly ca: string;
  /** Default: anonymous. */
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal | undefined;
}

/** Calls `work` with skopeo's options for one registry, given as files that are gone afterwards. */
async function withFiles<T>(
  image: RemoteImage,
  work: (files: { readonly certificates: string; readonly auth: string }) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-skopeo-'));
  try {
    const auth = join(folder, 'auth.json');
    const host = image.reference.slice(0, image.reference.indexOf('/'));
    const config = image.credentials === undefined ? '{"auths":{}}' : dockerConfig(host, image.credentials);
    await writeFile(auth, config, { mode: 0o600 });
    await writeFile(join(folder, 'ca.crt'), image.ca);
    return await work({ certificates: folder, auth });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Copies a docker-archive into a registry. The image's own name does not matter. */
export async function pushImage(tar: string, image: RemoteImage): Promise<void> {
  await withFiles(image, async ({ certificates, auth }) => {
    const to = ['--dest-cert-dir', certificates, '--dest-authfile', auth, '--dest-tls-verify=true'];
    const argv = ['skopeo', '--insecure-policy', 'copy', '--quiet', ...to] as const;
    const paths = [`docker-archive:${tar}`, `docker://${image.reference}`];
    await run({ argv: [...argv, ...paths], signal: image.signal });
  });
}

/** The manifest that a registry holds, as it came. */
export async function pullManifest(image: RemoteImage): Promise<string> {
  return withFiles(image, async ({ certificates, auth }) => {
    const from = ['--cert-dir', certificates, '--authfile', auth, '--tls-verify=true'];
    const argv = ['skopeo', '--insecure-policy', 'inspect', '--raw', ...from] as const;
    return (await run({ argv: [...argv, `docker://${image.reference}`], signal: image.signal })).stdout;
  });
}
