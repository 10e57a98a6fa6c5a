import { glob, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { run } from '../setup/index.ts';

/** A package as the next release has it. */
export interface PackageRelease {
  readonly name: string;
  readonly version: string;
  /** What its CHANGELOG says of this version, Markdown; empty if nothing changed in it. */
  readonly changes: string;
}

export interface Release {
  /** Of all programs and packages: they are released together. */
  readonly version: string;
  readonly packages: readonly PackageRelease[];
}

/** The part of a changelog that is about one version. Pure. */
export function changesOf(changelog: string, version: string): string {
  const parts = changelog.split(/^(?=## )/m);
  const part = parts.find((one) => one.startsWith(`## ${version}\n`)) ?? '';
  return part.slice(part.indexOf('\n') + 1).trim();
}

/** The versions in a checkout, and what its changelogs say of them. Throws `Invalid` if they differ. */
export async function releaseIn(repository: string): Promise<Release> {
  const packages: PackageRelease[] = [];
  for await (const path of glob('packages/*/package.json', { cwd: repository })) {
    const text = await readFile(join(repository, path), 'utf8');
    const { name, version } = JSON.parse(text) as PackageRelease;
    const changelog = join(repository, dirname(path), 'CHANGELOG.md');
    const changes = changesOf(await readFile(changelog, 'utf8').catch(() => ''), version);
    packages.push({ name, version, changes });
  }
  const sorted = packages.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const [first, ...others] = new Set(sorted.map(({ version }) => version));
  if (first !== undefined && others.length === 0) return { version: first, packages: sorted };
  const hint = 'they are "fixed" in .changeset/config.json, so that they are released together';
  throw new SelvedgeError('the packages have different versions', { code: 'Invalid', hint });
}

/** Gives the packages of a checkout the versions that its changesets ask for, and writes their changelogs. */
export async function applyChangesets(
  { checkout, tools }: { readonly checkout: string; readonly tools: string },
  signal?: AbortSignal,
): Promise<void> {
  const changeset = join(tools, 'node_modules/@changesets/cli/bin.js');
  await run({ argv: [process.execPath, changeset, 'version'], cwd: checkout, signal });
}

/** What the changesets that are committed make of the packages, found out in a copy: the checkout stays as it is. */
export async function nextRelease(repository: string, signal?: AbortSignal): Promise<Release> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-release-'));
  try {
    const checkout = join(folder, 'checkout');
    await run({ argv: ['git', 'clone', '--quiet', '--shared', repository, checkout], signal });
    await symlink(join(repository, 'node_modules'), join(checkout, 'node_modules'));
    await applyChangesets({ checkout, tools: repository }, signal);
    return await releaseIn(checkout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
