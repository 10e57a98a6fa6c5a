import { SelvedgeError } from '@selvedge/kit';
import { parseTimestamp } from './timestamp.ts';

export type LogStream = 'All' | 'Stdout' | 'Stderr';

/** What of a log is wanted. Source: `PodLogOptions` of the core API. */
export interface LogOptions {
  /** Go on until the container ends. */
  readonly follow: boolean;
  /** The instance before the one that runs. */
  readonly previous: boolean;
  /** Each line begins with its time. */
  readonly timestamps: boolean;
  readonly stream: LogStream;
  /** Entries counted from the end. */
  readonly tailLines: number | undefined;
  /** Nanoseconds since the epoch; older entries are left out. */
  readonly sinceNs: bigint | undefined;
  /** Of the answer. */
  readonly limitBytes: number | undefined;
}

const streams: readonly string[] = ['All', 'Stdout', 'Stderr'] satisfies readonly LogStream[];
const isStream = (text: string): text is LogStream => streams.includes(text);

const undecodable = (): SelvedgeError =>
  new SelvedgeError('{"message": "Unable to decode query."}', { code: 'Invalid' });

const refused = (reason: string): SelvedgeError =>
  new SelvedgeError(`invalid log options: ${reason}`, { code: 'Invalid', details: { status: 422 } });

/** Absent, `0` and `false` are false. Source: apimachinery `Convert_Slice_string_To_bool`. */
function flag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

function wholeNumber(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name) ?? '';
  if (text === '') return undefined;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) throw undecodable();
  if (value < least) throw refused(`${name}: must be at least ${least}`);
  return value;
}

function sinceOf(query: URLSearchParams, nowMs: number): bigint | undefined {
  const seconds = wholeNumber(query, 'sinceSeconds', 1);
  const text = query.get('sinceTime') ?? '';
  const time = text === '' ? undefined : parseTimestamp(text);
  if (text !== '' && time === undefined) throw undecodable();
  if (seconds !== undefined && time !== undefined) {
    throw refused('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  if (seconds !== undefined) return BigInt(Math.round(nowMs - seconds * 1000)) * 1_000_000n;
  return time?.ns;
}

function tailOf(query: URLSearchParams): number | undefined {
  const older = query.get('tail') ?? '';
  if (older === 'all') return undefined;
  return older === '' ? wholeNumber(query, 'tailLines', 0) : wholeNumber(query, 'tail', 0);
}

/**
 * Throws `Invalid`: status 400 for what cannot be read, 422 for what makes no sense. Pure. Source: `getContainerLogs` in
 * `pkg/kubelet/server/server.go` and `ValidatePodLogOptions`.
 */
export function logOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const stream = query.get('stream') ?? '';
  const wanted = stream === '' ? 'All' : stream;
  if (!isStream(wanted)) throw refused(`stream: supported values are ${streams.join(', ')}`);
  const tailLines = tailOf(query);
  if (wanted !== 'All' && tailLines !== undefined) {
    throw refused('`tailLines` and specific `stream` are mutually exclusive for now');
  }
  return {
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    stream: wanted,
    tailLines,
    sinceNs: sinceOf(query, nowMs),
    limitBytes: wholeNumber(query, 'limitBytes', 1),
  };
}
