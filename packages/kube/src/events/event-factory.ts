import type { Event, ObjectReference } from '../gen/types.ts';

/** What people read about an object. */
export interface EventContent {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  /** Cut at 1,024 bytes, the limit of the API. */
  readonly message: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Something that happened, at a time in milliseconds since the Unix epoch. */
export interface Occurrence {
  readonly about: ObjectReference;
  readonly content: EventContent;
  readonly at: number;
}

const maxMessageBytes = 1_024;

/** RFC 3339 without fractions, as Kubernetes writes it. */
const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Room for the ellipsis, and for what takes the place of a character that was cut in half. */
const cutBytes = maxMessageBytes - 6;

function cut(message: string): string {
  const bytes = Buffer.from(message);
  return bytes.length <= maxMessageBytes ? message : `${bytes.subarray(0, cutBytes).toString('utf8')}…`;
}

/** Makes core/v1 Events with names of their own: `<object>.<nanoseconds, hexadecimal>`. */
export function createEventFactory(source: {
  readonly component: string;
  readonly host: string;
}): (occurrence: Occurrence) => Event {
  const { component, host } = source;
  let last = 0n;
  return ({ about, content, at }) => {
    const nanoseconds = BigInt(Math.trunc(at)) * 1_000_000n;
    last = nanoseconds > last ? nanoseconds : last + 1n;
    const time = timestamp(at);
    return {
      metadata: {
        name: `${about.name ?? 'unknown'}.${last.toString(16)}`,
        namespace: about.namespace ?? 'default',
        annotations: content.annotations,
      },
      involvedObject: about,
      type: content.type,
      reason: content.reason,
      message: cut(content.message),
      source: { component, host },
      reportingComponent: component,
      reportingInstance: host,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
    };
  };
}
