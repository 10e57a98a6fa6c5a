import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bed, imageRefs, processBedDeps } from '@selvedge/bed';
import { bundleOf, bundleProgram } from '@selvedge/hack/programs';
import { type CloudRequest, requestsIn } from './audit-log.ts';

export const idleSides = ['hub', 'direct'] as const;
/** Agents that ask the hub of their node, or the API server. The name is the site's, too. */
export type IdleSide = (typeof idleSides)[number];

const nodes = { hub: 'converted', direct: 'stock' } as const;
const podsOnEach = 10;

/** Counters that only grow. */
export interface Counters {
  /** Over the site's WAN in both directions, headers of Ethernet and IP included. */
  readonly wanBytes: Readonly<Record<IdleSide, number>>;
  /** What the hub's process had the file system write. Source: proc_pid_io(5), write_bytes. */
  readonly diskBytes: number;
}

/** Two sites of one bed, with the same stock node in each, with and without a hub; ten pods run on each. */
export interface IdleWorld extends AsyncDisposable {
  counters(): Promise<Counters>;
  /** What the sites have asked of the API server so far. */
  requests(): Promise<Readonly<Record<IdleSide, readonly CloudRequest[]>>>;
}

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

function deploymentOn(node: string): object {
  const labels = { idle: node };
  const spec = {
    nodeSelector: { 'kubernetes.io/hostname': node },
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: imageRefs.pause, imagePullPolicy: 'IfNotPresent' }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `idle-${node}` },
    spec: {
      replicas: podsOnEach,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  };
}

async function fill(bed: Bed): Promise<void> {
  for (const side of idleSides) {
    const node = nodes[side];
    await bed.kubectl(['create', '--filename=-'], { input: JSON.stringify(deploymentOn(node)) });
    await bed.kubectl(['rollout', 'status', `deployment/idle-${node}`, '--timeout=180s']);
  }
}

/** Received and sent bytes of an interface in the text of `/proc/net/dev`. Source: proc_pid_net(5). */
function bytesOf(text: string, device: string): number {
  const line = text.split('\n').find((each) => each.trim().startsWith(`${device}:`));
  const fields = line?.split(':')[1]?.trim().split(/\s+/) ?? [];
  return Number(fields[0]) + Number(fields[8]);
}

async function wanBytes(bed: Bed, site: IdleSide): Promise<number> {
  const { stdout } = await bed.exec(site, ['cat', '/proc/net/dev']);
  return bytesOf(stdout, 'wan0');
}

async function writtenBytes(bed: Bed): Promise<number> {
  const { processes } = await bed.status();
  const hub = processes.find(({ name }) => name === `edge-lite.${nodes.hub}`);
  const io = await readFile(`/proc/${hub?.pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1]);
}

/** Brings up a bed of its own, edge-lite as it is shipped. Disposing of the world removes it. */
export async function openIdleWorld(): Promise<IdleWorld> {
  await bundleProgram('edge-lite');
  const folder = await mkdtemp(join(tmpdir(), 'bench-hub-idle-'));
  const [auditPolicy, auditLog] = [join(folder, 'policy.json'), join(folder, 'audit.log')];
  await writeFile(auditPolicy, JSON.stringify(policy));
  const apiServerFlags = [`--audit-policy-file=${auditPolicy}`, `--audit-log-path=${auditLog}`];
  const bed = await Bed.up(
    {
      name: 'bench-idle',
      sites: idleSides.map((name) => ({ name })),
      nodes: [
        { name: nodes.hub, site: 'hub', agent: 'converted' },
        { name: nodes.direct, site: 'direct', agent: 'stock' },
      ],
      controlPlane: { apiServerFlags },
    },
    { ...processBedDeps(), edgeLite: [process.execPath, bundleOf('edge-lite')] },
  );
  await fill(bed);
  const { sites } = await bed.status();
  return {
    async counters() {
      const [hub, direct, diskBytes] = await Promise.all([
        wanBytes(bed, 'hub'),
        wanBytes(bed, 'direct'),
        writtenBytes(bed),
      ]);
      return { wanBytes: { hub, direct }, diskBytes };
    },
    async requests() {
      const all = requestsIn(await readFile(auditLog, 'utf8'));
      const of = (side: IdleSide): readonly CloudRequest[] => {
        const address = sites.find(({ name }) => name === side)?.address;
        return all.filter(({ from }) => from === address);
      };
      return { hub: of('hub'), direct: of('direct') };
    },
    async [Symbol.asyncDispose]() {
      await bed.down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
