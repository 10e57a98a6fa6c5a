import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../setup/index.ts';

export interface DebFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Default 0o644. */
  readonly mode?: number;
  /** The administrator's: an upgrade asks before it changes it. Default: whether it is below `etc`. */
  readonly conffile?: boolean;
}

/** Scripts of the maintainer. Source: Debian Policy, chapter 6. */
export type MaintainerScript = 'preinst' | 'postinst' | 'prerm' | 'postrm';

export interface DebPackage {
  /** Fields of `DEBIAN/control`, in this order. Source: Debian Policy, chapter 5. */
  readonly control: Readonly<Record<string, string>>;
  readonly files: readonly DebFile[];
  readonly scripts?: Readonly<Partial<Record<MaintainerScript, string>>>;
}

export type Compression = 'xz' | 'gzip' | 'none';

export interface DebOptions {
  readonly outfile: string;
  /** Seconds since 1970: the time of every file. */
  readonly sourceDateEpoch: number;
  /** `xz` makes the smallest, `none` takes no time. Default `xz`. */
  readonly compression?: Compression;
  readonly signal?: AbortSignal | undefined;
}

/** Lines after the first are indented; a full stop stands for an empty one. Source: Debian Policy, 5.1 and 5.6.13. */
const folded = (value: string): string =>
  value.replaceAll(/\n(.*)/g, (_, line: string) => `\n ${line || '.'}`);

/** The text of `DEBIAN/control`. Pure. */
export const renderControl = (control: DebPackage['control']): string =>
  Object.entries(control)
    .map(([name, value]) => `${name}: ${folded(value)}\n`)
    .join('');

async function put(root: string, { path, content, mode = 0o644 }: DebFile): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await writeFile(file, content);
  await chmod(file, mode);
}

/** The files of the package and those about it. */
function allFiles({ control, files, scripts = {} }: DebPackage): readonly DebFile[] {
  const isConffile = ({ path, conffile = path.startsWith('etc/') }: DebFile): boolean => conffile;
  const conffiles = files.filter(isConffile).map(({ path }) => `/${path}\n`);
  const kib = files.reduce((sum, { content }) => sum + Math.ceil(Buffer.byteLength(content) / 1024), 0);
  return [
    ...files,
    { path: 'DEBIAN/control', content: renderControl({ ...control, 'Installed-Size': String(kib) }) },
    ...(conffiles.length === 0 ? [] : [{ path: 'DEBIAN/conffiles', content: conffiles.join('') }]),
    ...Object.entries(scripts).map(([name, content]) => ({ path: `DEBIAN/${name}`, content, mode: 0o755 })),
  ];
}

/**
 * Writes a Debian package, without being root: all in it belongs to root. The same package gives the same bytes. Takes
 * `dpkg-deb`.
 */
export async function buildDeb(content: DebPackage, options: DebOptions): Promise<void> {
  const { outfile, sourceDateEpoch, compression = 'xz', signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-deb-'));
  try {
    const root = join(folder, 'root');
    await mkdir(root, { mode: 0o755 });
    for (const file of allFiles(content)) await put(root, file);
    // With several threads xz splits its input, by how many there are.
    const args = ['--root-owner-group', `-Z${compression}`, '--threads-max=1', '--build', root, outfile];
    await run({ argv: ['dpkg-deb', ...args], env: { SOURCE_DATE_EPOCH: String(sourceDateEpoch) }, signal });
  } finally {
    await rm(folder, { recursive: true });
  }
}
