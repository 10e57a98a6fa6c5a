import { badRequest, invalidFields, type FieldProblem } from '../answers/index.ts';
import { flagOf } from '../request-info/index.ts';

/** The parameters of a list or watch. Source: kubernetes.io "Kubernetes API Concepts"; metav1.ListOptions. */
export interface ListOptions {
  /** Empty: not said. */
  readonly resourceVersion: string;
  readonly match: '' | 'Exact' | 'NotOlderThan';
  /** 0: all. */
  readonly limit: number;
  readonly continue: string;
  readonly sendInitialEvents: boolean | undefined;
  readonly allowWatchBookmarks: boolean;
  /** 0: not said. */
  readonly timeoutSeconds: number;
}

/** As they were sent: not yet valid. */
type Sent = Omit<ListOptions, 'match'> & { readonly match: string };

function integerOf(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null || text === '') return 0;
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

function sentOptions(query: URLSearchParams): Sent {
  return {
    resourceVersion: query.get('resourceVersion') ?? '',
    match: query.get('resourceVersionMatch') ?? '',
    limit: integerOf(query, 'limit'),
    continue: query.get('continue') ?? '',
    sendInitialEvents: flagOf(query, 'sendInitialEvents'),
    allowWatchBookmarks: flagOf(query, 'allowWatchBookmarks') ?? false,
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
  };
}

const forbid = (field: string, why: string): FieldProblem => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});

function unsupported(value: string, supported: readonly string[]): FieldProblem {
  const list = supported.map((one) => JSON.stringify(one)).join(', ');
  return {
    field: 'resourceVersionMatch',
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
  };
}

const matchField = 'resourceVersionMatch';

/** Rules as a table: what is wrong, and what the API server says of it. */
type Rule = readonly [wrong: (options: Sent) => boolean, problem: (options: Sent) => FieldProblem];

const listRules: readonly Rule[] = [
  [
    ({ match, resourceVersion }) => match !== '' && resourceVersion === '',
    () => forbid(matchField, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
  ],
  [
    ({ match, continue: token }) => match !== '' && token !== '',
    () => forbid(matchField, 'resourceVersionMatch is forbidden when continue is provided'),
  ],
  [
    ({ match }) => !['', 'Exact', 'NotOlderThan'].includes(match),
    ({ match }) => unsupported(match, ['Exact', 'NotOlderThan', '']),
  ],
  [
    ({ match, resourceVersion }) => match === 'Exact' && resourceVersion === '0',
    () => forbid(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
  ],
  [
    ({ sendInitialEvents }) => sendInitialEvents !== undefined,
    () => forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list'),
  ],
];

const watchRules: readonly Rule[] = [
  [
    ({ sendInitialEvents, match }) => sendInitialEvents !== undefined && match !== 'NotOlderThan',
    () => forbid(matchField, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
  ],
  [
    ({ sendInitialEvents, match }) => sendInitialEvents === undefined && match !== '',
    () =>
      forbid(matchField, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
  ],
  [
    ({ match }) => match !== '' && match !== 'NotOlderThan',
    ({ match }) => unsupported(match, ['NotOlderThan']),
  ],
  [
    ({ match, continue: token }) => match !== '' && token !== '',
    () => forbid(matchField, 'resourceVersionMatch is forbidden when continue is provided'),
  ],
];

function check(options: Sent, rules: readonly Rule[]): ListOptions {
  const problems = rules.filter(([wrong]) => wrong(options)).map(([, problem]) => problem(options));
  if (problems.length > 0) throw invalidFields('ListOptions.meta.k8s.io', problems);
  return options as ListOptions;
}

/** A watch from nowhere begins with what is there, as it did before it could be asked for. */
function withDefaults(options: Sent): Sent {
  const from = options.resourceVersion;
  const said = options.sendInitialEvents !== undefined || options.match !== '';
  if (said || (from !== '' && from !== '0')) return options;
  return { ...options, sendInitialEvents: true, match: 'NotOlderThan' };
}

/** Throws 400 or 422 in the API server's own words. */
export function listOptions(query: URLSearchParams, verb: 'list' | 'watch'): ListOptions {
  const sent = sentOptions(query);
  return verb === 'watch' ? check(withDefaults(sent), watchRules) : check(sent, listRules);
}

/** The hub's version in a parameter; undefined: not said, or any. Throws 400. */
export function versionOf(text: string): bigint | undefined {
  if (text === '' || text === '0') return undefined;
  if (/^\d{1,40}$/.test(text)) return BigInt(text);
  const problem = `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw badRequest(`invalid resource version: resourceVersion: ${problem}`);
}
