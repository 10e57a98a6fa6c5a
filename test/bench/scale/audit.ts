import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CloudRequest, requestsIn } from '../hub/audit-log.ts';

const changing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
/** Questions that are asked by POST. */
const asking = /^create (subject|token|selfsubject|localsubject)\w*reviews/;

/** Whether it changes what is stored. */
export const isWrite = ({ what }: CloudRequest): boolean => changing.has(what.split(' ', 1)[0] ?? '');

/** Neither of the Leases by which servers know of each other, nor about the rights of whoever asks for metrics. */
const isOfWork = ({ what, namespace }: CloudRequest): boolean =>
  !asking.test(what) && !(what.endsWith(' leases') && namespace !== 'kube-node-lease');

/** What one user asks of an API server, as that writes it down. */
export interface Audit extends AsyncDisposable {
  /** Of the API server. */
  readonly flags: readonly string[];
  /** All requests so far, in their order, beside those that keep the program itself going. */
  requests(): Promise<readonly CloudRequest[]>;
}

class AuditFile implements Audit {
  readonly flags: readonly string[];
  readonly #file: FileHandle;
  readonly #requests: CloudRequest[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor(flags: readonly string[], file: FileHandle) {
    this.flags = flags;
    this.#file = file;
  }

  async requests(): Promise<readonly CloudRequest[]> {
    const chunk = Buffer.alloc(1024 * 1024);
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return this.#requests;
      this.#take(Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]));
    }
  }

  #take(bytes: Buffer): void {
    const end = bytes.lastIndexOf('\n') + 1;
    this.#rest = bytes.subarray(end);
    this.#requests.push(...requestsIn(bytes.toString('utf8', 0, end)).filter(isOfWork));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

/** Writes down what `user` asks, in `folder`, and nothing else. */
export async function openAudit(folder: string, user: string): Promise<Audit> {
  await mkdir(folder, { recursive: true });
  const [policyFile, logFile] = [join(folder, 'audit-policy.json'), join(folder, 'audit.log')];
  const rules = [{ level: 'Metadata', users: [user] }, { level: 'None' }];
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules };
  await writeFile(policyFile, JSON.stringify(policy));
  await writeFile(logFile, '');
  const flags = [
    `--audit-policy-file=${policyFile}`,
    `--audit-log-path=${logFile}`,
    '--audit-log-maxsize=4096',
  ];
  return new AuditFile(flags, await open(logFile, 'r'));
}
