import { hash } from 'node:crypto';
import { join } from 'node:path';
import { SelvedgeError, systemCode } from '@selvedge/kit';
import { checksumsFile, parseChecksums } from './checksums.ts';
import { type ArtifactKind, versionIn } from './names.ts';
import { releasedDigests } from './released.ts';
import type { Architecture, Artifact, Artifacts, ArtifactsDeps, Digests } from './types.ts';

const hints = {
  folder:
    'use --artifacts with the folder of an unpacked release; in a checkout, pnpm release --dry-run builds one',
  file: 'download it from the same release as this program',
  other: 'do not use it; download the release again from its official location',
} as const;

interface Listed {
  readonly file: string;
  readonly version: string;
  readonly sha256: string;
}

/** The file of this kind that the release has. Throws `NotFound`; `Invalid` if there are two. */
function listed(digests: Digests, kind: ArtifactKind, arch: Architecture): Listed {
  const found = [...digests].flatMap(([file, sha256]) => {
    const version = versionIn(file, kind, arch);
    return version === undefined ? [] : [{ file, version, sha256 }];
  });
  const [one, other] = found;
  if (one === undefined) {
    const message = `the release contains no ${kind} for linux/${arch}`;
    throw new SelvedgeError(message, { code: 'NotFound', hint: hints.folder });
  }
  if (other === undefined) return one;
  const message = `${checksumsFile} lists ${one.file} and ${other.file}`;
  throw new SelvedgeError(message, {
    code: 'Invalid',
    hint: 'keep the files of only one release in that folder',
  });
}

async function read(path: string, hint: string, { readFile }: ArtifactsDeps): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = systemCode(cause) === 'ENOENT' ? 'NotFound' : 'Unavailable';
    throw new SelvedgeError(`cannot read ${path}`, { code, hint, cause });
  }
}

async function verified(
  folder: string,
  { file, version, sha256 }: Listed,
  deps: ArtifactsDeps,
): Promise<Artifact> {
  const bytes = await read(join(folder, file), hints.file, deps);
  const found = hash('sha256', bytes);
  if (found === sha256) return { file, bytes, sha256, version };
  const message = `${join(folder, file)} is not the published file: its SHA-256 is ${found}, expected ${sha256}`;
  throw new SelvedgeError(message, { code: 'Corrupt', hint: hints.other });
}

/** Opens the folder of a release; see `Artifacts`. Throws `NotFound` and `Corrupt` by its list of checksums. */
export async function openArtifacts(folder: string, deps: ArtifactsDeps): Promise<Artifacts> {
  const digests =
    deps.digests ??
    releasedDigests ??
    parseChecksums((await read(join(folder, checksumsFile), hints.folder, deps)).toString('utf8'));
  const held = new Map<string, Promise<Artifact>>();
  const get = async (kind: ArtifactKind, arch: Architecture): Promise<Artifact> => {
    const one = listed(digests, kind, arch);
    const reading = held.get(one.file) ?? verified(folder, one, deps);
    held.set(one.file, reading);
    // It may have been put right when it is asked for again.
    reading.catch(() => held.delete(one.file));
    return reading;
  };
  return {
    edgeLite: (arch) => get('edge-lite', arch),
    cloudManager: (arch) => get('cloud-manager-program', arch),
    managerImage: (arch) => get('cloud-manager', arch),
    nodeShellImage: (arch) => get('node-shell', arch),
  };
}
