import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One request as the API server wrote it down. Source: `audit.k8s.io/v1` Event. */
export interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly requestURI: string;
  readonly userAgent: string;
  readonly user: { readonly username: string };
  /** Undefined: it was about no resource. */
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** The audit log of an API server to be. */
export interface Audit extends AsyncDisposable {
  /** Of the API server. */
  readonly flags: readonly string[];
  /** What a program asked for and was granted so far, but for health and discovery. */
  requests(userAgent: string): Promise<readonly AuditEvent[]>;
  /** Whatever a user asked for so far, but for health and discovery. */
  requestsOf(username: string): Promise<readonly AuditEvent[]>;
}

const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ['*']
- level: Metadata
`;

export async function createAudit(): Promise<Audit> {
  const folder = await mkdtemp(join(tmpdir(), 'audit-'));
  const [policyFile, logFile] = ['policy.yaml', 'log'].map((name) => join(folder, name)) as [string, string];
  await writeFile(policyFile, policy);
  await writeFile(logFile, '');
  const read = async (): Promise<readonly AuditEvent[]> => {
    // What comes after the last line's end is being written.
    const lines = (await readFile(logFile, 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AuditEvent);
  };
  // A watch is written down when it begins and when it ends.
  const first = (event: AuditEvent): boolean =>
    event.verb === 'watch' ? event.stage === 'ResponseStarted' : event.stage === 'ResponseComplete';
  return {
    flags: [`--audit-policy-file=${policyFile}`, `--audit-log-path=${logFile}`],
    requests: async (userAgent) =>
      (await read()).filter((event) => event.userAgent === userAgent && first(event)),
    requestsOf: async (username) => (await read()).filter(({ user }) => user.username === username),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
