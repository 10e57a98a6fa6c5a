import { join } from 'node:path';
import { resources } from '@selvedge/kube';
import type { Service } from '@selvedge/kube/types';
import { containerLog } from './container-log.ts';
import { stateFolder } from './edge-lite.ts';
import type { Site } from './site.ts';

/** Who answered, by name, and how often; `refused` and `silent` say that nobody did. */
export type Answers = ReadonlyMap<string, number>;

/** Asks Services by their addresses, as kube-proxy of a node leads them, and adds up who answered. */
export interface Shoppers {
  /** Enough requests that each of three pods has some, each over a connection of its own; none after one that failed. */
  ask(node: string, service: string): Promise<Answers>;
  /** Resolves once these and no others answer. */
  untilAnsweredBy(node: string, service: string, who: readonly string[]): Promise<void>;
  /** Of all that were ever asked. */
  readonly answers: Answers;
}

const requests = 60;

/** Exit codes of curl. */
const failures: Readonly<Record<string, string>> = { '7': 'refused', '28': 'silent' };

async function namesOf(site: Site, node: string, service: string): Promise<readonly string[]> {
  const { spec }: Service = await site.get(resources.services, service);
  const how = ['--silent', '--fail-early', '--connect-timeout', '3', '--header', 'connection: close'];
  const each = ['--write-out', ' %{exitcode}\\n'];
  const url = `http://${spec?.clusterIP ?? ''}/hostname?[1-${requests}]`;
  // Its exit code is that of the last request.
  const script = '"$@" || true';
  const { stdout } = await site.bed.exec(node, ['sh', '-c', script, 'sh', 'curl', ...how, ...each, url]);
  return Array.from(stdout.matchAll(/^(\S*) (\d+)$/gm), ([, name = '', code = '']) =>
    code === '0' ? name : (failures[code] ?? `code ${code}`),
  );
}

export function createShoppers(site: Site): Shoppers {
  const total = new Map<string, number>();
  const ask: Shoppers['ask'] = async (node, service) => {
    const counts = new Map<string, number>();
    for (const name of await namesOf(site, node, service)) {
      for (const each of [counts, total]) each.set(name, (each.get(name) ?? 0) + 1);
    }
    return counts;
  };
  return {
    ask,
    answers: total,
    async untilAnsweredBy(node, service, who) {
      await site.until({ what: `${service} at ${node} is answered by ${who.join()}` }, async () => {
        const answers = await ask(node, service);
        if ([...answers.keys()].toSorted().join() === who.toSorted().join()) return true;
        throw new Error(`it is by ${JSON.stringify(Object.fromEntries(answers))}`);
      });
    },
  };
}

/** How many requests have come to a web server, by its own count. */
export async function requestsAt(site: Site, node: string, pod: string): Promise<number> {
  return (await containerLog(site, node, { pod })).split('GET /hostname').length - 1;
}

export interface Reader {
  readonly node: string;
  /** Of a service account. */
  readonly token: string;
  /** Default JSON. */
  readonly accept?: string;
}

/** What a client gets from the hub of a node. */
export async function readAtHub({ bed }: Pick<Site, 'bed'>, reader: Reader, path: string): Promise<string> {
  const { node, token, accept = 'application/json' } = reader;
  const ca = join(stateFolder(bed, node), 'pki/hub-ca.crt');
  const how = ['--silent', '--show-error', '--fail-with-body', '--max-time', '10', '--cacert', ca];
  const headers = ['--header', `authorization: Bearer ${token}`, '--header', `accept: ${accept}`];
  const { stdout } = await bed.exec(node, ['curl', ...how, ...headers, `https://127.0.0.1:10270${path}`]);
  return stdout;
}

/** The addresses that CoreDNS of a node has for a name of the test's namespace. */
export async function resolveAt(
  { bed, namespace }: Site,
  node: string,
  name: string,
): Promise<readonly string[]> {
  const { nodes } = await bed.status();
  const server = nodes.find((one) => one.name === node)?.address ?? '';
  const query = `busybox nslookup -type=a ${name}.${namespace}.svc.cluster.local ${server} || true`;
  const { stdout } = await bed.exec(node, ['sh', '-c', query]);
  // Its own address comes first.
  const [, ...answers] = stdout.split('Name:');
  return answers.flatMap((answer) => /Address: (\S+)/.exec(answer)?.slice(1) ?? []);
}
