import { run } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';

/** A Debian archive as debootstrap wants it. */
export interface Mirror {
  /** `http://…/debian` or `file:/…`. */
  readonly url: string;
  /** The release's code name: `bookworm`. */
  readonly suite: string;
  /** Sorted. */
  readonly components: readonly string[];
}

/** The fields of one package list that apt is configured with, in the order of `indexFormat`. */
const indexFormat = '$(SITE)|$(CODENAME)|$(ORIGIN)|$(COMPONENT)';
const origins: ReadonlySet<string> = new Set(['Debian', 'Ubuntu']);
const schemes = /^(?:https?|file|copy):/;

/**
 * The archive of the release itself among the lines of `apt-get indextargets` with `indexFormat`: not its updates, and
 * nobody else's packages. `suite` is the machine's own release.
 */
export function parseMirror(lines: string, suite: string): Mirror | undefined {
  const targets = lines.split('\n').map((line) => line.split('|'));
  const own = targets.filter(
    ([url = '', codename, origin = '']) => codename === suite && origins.has(origin) && schemes.test(url),
  );
  const url = own[0]?.[0];
  if (url === undefined) return undefined;
  const components = own.filter((target) => target[0] === url).map((target) => target[3] ?? 'main');
  return { url, suite, components: [...new Set(components)].toSorted() };
}

/** The value of `VERSION_CODENAME` in an os-release file. Source: os-release(5). */
export function parseCodename(osRelease: string): string | undefined {
  return /^VERSION_CODENAME="?([\w.-]+)"?$/m.exec(osRelease)?.[1];
}

/** The archive of `suite` that this machine's apt is configured with. Throws `Unsupported` if there is none. */
export async function readMirror(suite: string, signal?: AbortSignal): Promise<Mirror> {
  const argv = ['apt-get', 'indextargets', '--format', indexFormat, 'Created-By: Packages'] as const;
  const mirror = parseMirror((await run({ argv, signal })).stdout, suite);
  if (mirror !== undefined) return mirror;
  throw new SelvedgeError('apt knows no archive of this release', {
    code: 'Unsupported',
    hint: 'machines are made from the Debian or Ubuntu archive in /etc/apt, by http, https or file',
  });
}
