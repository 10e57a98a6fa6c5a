import { X509Certificate } from 'node:crypto';
import { certificateBlocks } from '@selvedge/kit/x509';
import { maskArguments, maskSecrets } from './mask.ts';
import { portOf, systemdProperties, osRelease } from './formats.ts';
import type { CertificateFacts, FileFacts, NodeFacts, ProcessFacts, UnitFacts } from './types.ts';

/** A line that the script printed: what of, and what. */
type Line = readonly string[];

const decoded = (base64 = ''): string => Buffer.from(base64, 'base64').toString();
const numberOf = (word = ''): number => (word === '' ? 0 : Number(word));

function linesOf(output: string): ReadonlyMap<string, readonly Line[]> {
  const lines = output.split('\n').filter((line) => line !== '');
  const words = lines.map((line) => line.split('\t'));
  return new Map(
    Object.entries(Object.groupBy(words, ([kind = '']) => kind)).map(([kind, all = []]) => [
      kind,
      all.map(([, ...rest]) => rest),
    ]),
  );
}

function unitOf([, shown, text]: Line): UnitFacts {
  const of = systemdProperties(decoded(shown));
  const words = (key: string): readonly string[] =>
    of(key)
      .split(' ')
      .filter((word) => word.startsWith('/'));
  return {
    activeState: of('ActiveState'),
    fileState: of('UnitFileState'),
    path: of('FragmentPath'),
    dropIns: words('DropInPaths'),
    environmentFiles: words('EnvironmentFiles'),
    text: maskSecrets(decoded(text)),
    mainPid: numberOf(of('MainPID')),
  };
}

function processOf([pid = '', cmdline]: Line, lacking: ReadonlySet<string>): ProcessFacts {
  const argv = decoded(cmdline).split('\0').slice(0, -1);
  const program = (argv[0] ?? '').split(' ')[0]?.split('/').at(-1) ?? '';
  const lacks = lacking.has(pid) ? { lacksProtocols: true } : {};
  return { pid: numberOf(pid), program, argv: maskArguments(argv), ...lacks };
}

/** Not text: bytes that are no UTF-8 come back as others. */
function textOf(base64: string | undefined): { readonly text?: string } {
  if (base64 === undefined) return {};
  const text = decoded(base64);
  return Buffer.from(text).toString('base64') === base64 ? { text: maskSecrets(text) } : {};
}

const fileOf = ([, mode = '', uid, gid, bytes, sha256 = '', text]: Line): FileFacts => ({
  mode: Number.parseInt(mode, 8),
  uid: numberOf(uid),
  gid: numberOf(gid),
  bytes: numberOf(bytes),
  sha256,
  ...textOf(text),
});

const nameIn = (subject: string, key: string): string =>
  subject
    .split('\n')
    .find((line) => line.startsWith(`${key}=`))
    ?.slice(key.length + 1) ?? '';

function certificateOf(text: string): CertificateFacts | undefined {
  const [pem] = certificateBlocks(text);
  if (pem === undefined) return undefined;
  try {
    const { subject, issuer, validFromDate, validToDate } = new X509Certificate(pem);
    return {
      commonName: nameIn(subject, 'CN'),
      issuer: nameIn(issuer, 'CN'),
      notBeforeMs: validFromDate.getTime(),
      notAfterMs: validToDate.getTime(),
    };
  } catch {
    return undefined;
  }
}

/** The files that were told of, and the first certificate in each that has one. */
export function parseFiles(output: string): Pick<NodeFacts, 'files' | 'certificates'> {
  const all = (linesOf(output).get('file') ?? []).map((line) => [line[0] ?? '', fileOf(line)] as const);
  const certificates = all.flatMap(([path, { text = '' }]) => {
    const certificate = certificateOf(text);
    return certificate === undefined ? [] : [[path, certificate] as const];
  });
  return { files: Object.fromEntries(all), certificates: Object.fromEntries(certificates) };
}

const agentsByFolder: Readonly<Record<string, string>> = {
  '/var/lib/yurthub': 'yurthub',
  '/etc/kubeedge': 'edgecore',
  '/var/lib/edged': 'edgecore',
};
const agents: ReadonlySet<string> = new Set(['yurthub', 'edgecore', 'lite-apiserver']);

/** What the script told. Pure. */
export function parseSurvey(output: string): NodeFacts {
  const lines = linesOf(output);
  const all = (kind: string): readonly Line[] => lines.get(kind) ?? [];
  const first = (kind: string): string => all(kind)[0]?.[0] ?? '';
  const words = (kind: string): readonly string[] => all(kind).map(([word = '']) => word);
  const pairs = <T>(kind: string, value: (line: Line) => T): Readonly<Record<string, T>> =>
    Object.fromEntries(all(kind).map((line) => [line[0] ?? '', value(line)]));
  const [memory = '', swap] = all('memory')[0] ?? [];
  const features = new Set(words('feature'));
  const lacking = new Set(words('no-protocols'));
  const units = pairs('unit', unitOf);
  const folders = words('folder');
  const version = first('version');
  const found = [
    ...Object.keys(units)
      .map((name) => name.replace('.service', ''))
      .filter((name) => agents.has(name)),
    ...folders.flatMap((path) => agentsByFolder[path] ?? []),
  ];
  return {
    hostname: first('hostname'),
    timeMs: Math.round(numberOf(first('time')) * 1_000),
    os: osRelease(decoded(first('os'))),
    arch: first('arch'),
    kernel: first('kernel'),
    init: first('init'),
    cgroupVersion: first('cgroup') === 'cgroup2fs' ? 2 : 1,
    memoryBytes: numberOf(memory) * 1_024,
    swapBytes: numberOf(swap) * 1_024,
    disks: all('disk').map(([path = '', bytes]) => ({ path, availableBytes: numberOf(bytes) })),
    features: {
      overlay: features.has('overlay'),
      brNetfilter: features.has('brNetfilter'),
      nfTables: features.has('nfTables'),
      ipForward: features.has('ipForward'),
    },
    ports: words('port').map(portOf),
    addresses: words('address'),
    units,
    processes: all('process').map((line) => processOf(line, lacking)),
    ...parseFiles(output),
    folders,
    sockets: words('socket'),
    cni: { configs: words('cni-config'), binaries: pairs('cni-binaries', ([, ...names]) => names) },
    programs: pairs('program', ([, path = '']) => path),
    selvedge: {
      ...(version === '' ? {} : { version }),
      journal: all('journal').length > 0,
      otherAgents: [...new Set(found)],
    },
  };
}
