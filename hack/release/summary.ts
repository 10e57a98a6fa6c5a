import type { Release } from './versions.ts';

/** A file of a release, for people. */
export interface ReleaseFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** Columns of text, numbers to the right. */
function table(rows: readonly (readonly [string, string, string])[]): string {
  const width = (column: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  return rows.map(([a, b, c]) => `  ${a.padEnd(first)}  ${b.padStart(second)}  ${c}\n`).join('');
}

/** What a release consists of. Pure. */
export function releaseSummary(
  { version, packages }: Release,
  { files, folder }: { readonly files: readonly ReleaseFile[]; readonly folder: string },
): string {
  const rows = files.map(({ file, bytes, sha256 }) => [file, mebibytes(bytes), sha256] as const);
  const changed = packages.filter(({ changes }) => changes !== '');
  return `Selvedge ${version}, tag v${version}

Files in ${folder}:

${table([['file', 'MiB', 'SHA-256'], ...rows])}
npm packages of version ${version}, ${changed.length} of ${packages.length} changed:

${packages.map(({ name, changes }) => `  ${name}${changes === '' ? '' : ': changed'}\n`).join('')}`;
}

/** What is left to do for a person. Pure. */
export function nextSteps({ version, packages }: Release, { dryRun }: { readonly dryRun: boolean }): string {
  if (dryRun) {
    const changes = packages
      .filter((one) => one.changes !== '')
      .map((one) => `# ${one.name}\n\n${one.changes}\n`);
    return `\nNothing was published, tagged or changed. The changelogs would say:\n\n${changes.join('\n')}`;
  }
  return `
Versions and changelogs are written. What is left:

  git commit --all --message "release: ${version}"
  git tag v${version}

and to publish the files above, SHA256SUMS with them.
`;
}
