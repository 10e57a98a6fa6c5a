import { Scalar, type YAMLMap, isMap, isScalar, isSeq, parseDocument } from 'yaml';

/** `old`, which stands at `at`, becomes `new`. Positions count UTF-16 code units. */
export interface TextEdit {
  readonly at: number;
  readonly old: string;
  readonly new: string;
}

/** Where a kubeconfig is to lead. */
export interface ClusterTarget {
  /** `https://host:port`. */
  readonly server: string;
  /** A file of authorities, absolute. Default: those that the file names stay. */
  readonly certificateAuthority?: string | undefined;
}

interface Field {
  readonly key: Scalar;
  readonly value: Scalar;
}

function fieldOf(map: unknown, name: string): Field | undefined {
  if (!isMap(map)) return undefined;
  const { key, value } = map.items.find((one) => isScalar(one.key) && one.key.value === name) ?? {};
  return isScalar(key) && isScalar(value) ? { key, value } : undefined;
}

/** The map in a list of named ones, which is below `kind` there. */
function named(root: YAMLMap, kind: 'cluster' | 'context', name: unknown): YAMLMap | undefined {
  const list = root.get(`${kind}s`);
  if (!isSeq(list) || typeof name !== 'string') return undefined;
  const entries = list.items.filter((one) => fieldOf(one, 'name')?.value.value === name);
  const [only] = entries;
  const map = entries.length === 1 && isMap(only) ? only.get(kind) : undefined;
  return isMap(map) ? map : undefined;
}

function currentCluster(text: string): YAMLMap | undefined {
  const { contents, errors } = parseDocument(text);
  if (errors.length > 0 || !isMap(contents)) return undefined;
  const root = contents as YAMLMap;
  const context = named(root, 'context', fieldOf(root, 'current-context')?.value.value);
  return named(root, 'cluster', fieldOf(context, 'cluster')?.value.value);
}

/** A word in the quotes of what it stands for or beside. */
function quotedAs(like: Scalar, word: string): string {
  if (like.type === Scalar.QUOTE_DOUBLE) return JSON.stringify(word);
  return like.type === Scalar.QUOTE_SINGLE ? `'${word.replaceAll("'", "''")}'` : word;
}

const rangeOf = ({ range }: Scalar): readonly [number, number] => [range?.[0] ?? 0, range?.[1] ?? 0];

/** Another field in place of one. */
function fieldEdit(text: string, { key, value }: Field, next: string): TextEdit {
  const [at] = rangeOf(key);
  const old = text.slice(at, rangeOf(value)[1]);
  // A block scalar ends with its line.
  return { at, old, new: old.endsWith('\n') ? `${next}\n` : next };
}

/** Another value of a field; with the field, so that people see what it is about. */
function valueEdit(text: string, field: Field, next: string): TextEdit {
  const before = text.slice(rangeOf(field.key)[0], rangeOf(field.value)[0]);
  return fieldEdit(text, field, before + next);
}

/** What else in a cluster would lead astray, and what it says then. Text goes before a file, so it must be empty. */
function neutral(
  { server, certificateAuthority }: ClusterTarget,
  cluster: YAMLMap,
): Readonly<Record<string, string>> {
  const namesFile = fieldOf(cluster, 'certificate-authority') !== undefined;
  return {
    'tls-server-name': new URL(server).hostname,
    'proxy-url': '""',
    ...(certificateAuthority === undefined ? {} : { 'insecure-skip-tls-verify': 'false' }),
    ...(certificateAuthority !== undefined && namesFile ? { 'certificate-authority-data': '""' } : {}),
  };
}

/** Names the file of authorities: where one was named, in place of their text, or before the server. */
function authorityEdits(text: string, cluster: YAMLMap, file: string): readonly TextEdit[] {
  const name = 'certificate-authority';
  const known = fieldOf(cluster, name);
  if (known !== undefined) return [valueEdit(text, known, quotedAs(known.value, file))];
  const inline = fieldOf(cluster, `${name}-data`);
  const beside = inline ?? fieldOf(cluster, 'server');
  if (beside === undefined) return [];
  const { key, value } = beside;
  const field = `${quotedAs(key, name)}: ${quotedAs(value, file)}`;
  const [at] = rangeOf(key);
  if (inline !== undefined) return [fieldEdit(text, inline, field)];
  const column = at - (text.lastIndexOf('\n', at - 1) + 1);
  const next = cluster.flow === true ? ', ' : `\n${' '.repeat(column)}`;
  return [{ at, old: '', new: field + next }];
}

/**
 * What leads the current context of a kubeconfig elsewhere, and leaves every other byte as it is; none if it leads there
 * already. Undefined if the file cannot be understood. Pure.
 */
export function redirectKubeconfig(text: string, target: ClusterTarget): readonly TextEdit[] | undefined {
  const cluster = currentCluster(text);
  const server = fieldOf(cluster, 'server');
  if (cluster === undefined || typeof server?.value.value !== 'string') return undefined;
  const { certificateAuthority: file } = target;
  const others = Object.entries(neutral(target, cluster)).flatMap(([name, word]) => {
    const field = fieldOf(cluster, name);
    return field === undefined ? [] : [valueEdit(text, field, word)];
  });
  return [
    ...(file === undefined ? [] : authorityEdits(text, cluster, file)),
    valueEdit(text, server, quotedAs(server.value, target.server)),
    ...others,
  ]
    .filter((one) => one.old !== one.new)
    .toSorted((a, b) => a.at - b.at);
}

/** The text with the edits made, which are of it. */
export function editedText(text: string, edits: readonly TextEdit[]): string {
  return edits.reduceRight(
    (done, { at, old, new: next }) => done.slice(0, at) + next + done.slice(at + old.length),
    text,
  );
}
