/** What is read of a line of the API server's audit log. Source: Kubernetes API, audit.k8s.io/v1 Event. */
interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly sourceIPs?: readonly string[];
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
  };
  readonly requestReceivedTimestamp: string;
}

/** A request as the API server saw it. */
export interface CloudRequest {
  /** The address that it came from. */
  readonly from: string;
  /** When it came, Unix time in milliseconds. */
  readonly atMs: number;
  /** `watch pods`, `patch nodes/status`, `get /version`. */
  readonly what: string;
  /** Where the object is; undefined if that is nowhere. */
  readonly namespace: string | undefined;
  /** The program's name: the user agent up to its first slash or space. */
  readonly by: string;
}

/** A watch is written down at its begin and at its end, everything else only when it is answered. */
const countedAt = (verb: string): string => (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete');

function whatOf({ verb, objectRef, requestURI }: AuditEvent): string {
  if (objectRef?.resource === undefined) return `${verb} ${requestURI.split('?', 1)[0]}`;
  const { resource, subresource } = objectRef;
  return subresource === undefined ? `${verb} ${resource}` : `${verb} ${resource}/${subresource}`;
}

/** The requests of an audit log, each once, with every rule of its policy at the level Metadata. */
export function requestsIn(log: string): readonly CloudRequest[] {
  return log.split('\n').flatMap((line) => {
    if (line === '') return [];
    const event = JSON.parse(line) as AuditEvent;
    if (event.stage !== countedAt(event.verb)) return [];
    const from = event.sourceIPs?.at(-1) ?? '';
    const by = event.userAgent?.split(/[/ ]/, 1)[0] ?? '';
    return [
      {
        from,
        atMs: Date.parse(event.requestReceivedTimestamp),
        what: whatOf(event),
        namespace: event.objectRef?.namespace,
        by,
      },
    ];
  });
}

export const isLease = ({ what }: CloudRequest): boolean => what.endsWith(' leases');
