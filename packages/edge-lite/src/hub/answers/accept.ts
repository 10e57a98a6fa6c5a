import type { SelvedgeError } from '@selvedge/kit';
import { statusError } from './status.ts';

/** The form in which a client wants its answer. */
export interface Form {
  readonly type: 'json' | 'yaml';
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Of `meta.k8s.io`, unless it is the object itself. */
  readonly version: 'v1' | 'v1beta1';
}

interface Clause {
  readonly type: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

const plain: Form = { type: 'json', as: 'object', version: 'v1' };
const transforms: readonly string[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

const serializedTypes: Readonly<Record<string, Form['type']>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/yaml': 'yaml',
};

function isTransform(as: string): as is Form['as'] {
  return transforms.includes(as);
}

function parseClause(text: string): Clause {
  const [type = '', ...rest] = text.split(';').map((word) => word.trim());
  const parameters = new Map(
    rest.map((word): [string, string] => {
      const at = word.indexOf('=');
      return at < 0 ? [word, ''] : [word.slice(0, at).trim(), word.slice(at + 1).trim()];
    }),
  );
  const quality = Number.parseFloat(parameters.get('q') ?? '1');
  return { type: type.toLowerCase(), quality: Number.isNaN(quality) ? 1 : quality, parameters };
}

/** The clauses of an Accept header, the most wanted first. */
export function parseAccept(header: string): readonly Clause[] {
  return header
    .split(',')
    .filter((text) => text.trim() !== '')
    .map(parseClause)
    .toSorted((a, b) => b.quality - a.quality);
}

function transformOf({ parameters }: Clause): Pick<Form, 'as' | 'version'> | undefined {
  const [as, version] = [parameters.get('as'), parameters.get('v')];
  if (as === undefined) return plain;
  if (!isTransform(as) || parameters.get('g') !== 'meta.k8s.io') return undefined;
  return version === 'v1' || version === 'v1beta1' ? { as, version } : undefined;
}

function formOf(clause: Clause): Form | undefined {
  const type = serializedTypes[clause.type];
  const stream = clause.parameters.get('stream') ?? '';
  if (type === undefined || (stream !== '' && stream !== 'watch')) return undefined;
  const transform = transformOf(clause);
  return transform === undefined ? undefined : { type, as: transform.as, version: transform.version };
}

export function notAcceptable(types: readonly string[]): SelvedgeError {
  const message = `only the following media types are accepted: ${types.join(', ')}`;
  return statusError('Unsupported', message, { status: 406, reason: 'NotAcceptable' });
}

/**
 * What an answer shall look like. JSON whenever the client takes it, whatever else it would rather have; YAML only if
 * `yaml` allows it. Throws 406 for a client that takes nothing that we have, protobuf alone for instance.
 * Source: kubernetes.io "Kubernetes API Concepts", alternate representations and receiving resources as Tables.
 */
export function negotiate(header: string | undefined, options: { readonly yaml: boolean }): Form {
  if (header === undefined || header.trim() === '') return plain;
  for (const clause of parseAccept(header)) {
    const form = formOf(clause);
    if (form !== undefined && (form.type === 'json' || options.yaml)) return form;
  }
  throw notAcceptable(options.yaml ? ['application/json', 'application/yaml'] : ['application/json']);
}
