import { cloudAddresses } from './addresses.ts';
import type { BedContext } from './context.ts';
import { adminApi, serverUrl } from './control-plane/control-plane.ts';
import type { BedDescription, NodeDescription } from './description.ts';
import { type Faults, describeFaults } from './network/faults.ts';
import { nodeAddress } from './network/spec.ts';
import { existing } from './operations.ts';

export interface ProcessStatus {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
}

export interface NodeStatus extends NodeDescription {
  readonly address: string;
  /** The Node's Ready condition: `True`, `False`, `Unknown`; undefined where there is no Node or no API server. */
  readonly ready: string | undefined;
}

export interface SiteStatus {
  readonly name: string;
  readonly lan: string;
  /** The router's address in the cloud's network, from which all of the site seems to come. */
  readonly address: string;
  readonly faults: Faults;
  /** The faults for people: `ok`, or what is wrong. */
  readonly wan: string;
}

/** What a bed is and whether it runs. */
export interface BedStatus {
  readonly name: string;
  readonly server: string;
  readonly kubeconfig: string;
  readonly kubernetes: string;
  readonly network: string;
  readonly processes: readonly ProcessStatus[];
  readonly sites: readonly SiteStatus[];
  readonly nodes: readonly NodeStatus[];
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** How long the API server has for an answer, in milliseconds. */
const apiTimeoutMs = 2_000;

async function readiness(context: BedContext, bed: BedDescription): Promise<ReadonlyMap<string, string>> {
  const api = await adminApi(bed, await context.pki());
  const text = await api.get('/api/v1/nodes', AbortSignal.timeout(apiTimeoutMs)).catch(() => '{"items":[]}');
  const { items } = JSON.parse(text) as NodeList;
  return new Map(
    items.map(({ metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return [metadata.name, ready?.status ?? 'Unknown'];
    }),
  );
}

/** Looks at a bed; changes nothing. `NotFound` if there is none. */
export async function bedStatus(context: BedContext): Promise<BedStatus> {
  const bed = await existing(context);
  const addresses = cloudAddresses(bed.index);
  const [processes, ready] = await Promise.all([context.daemons.list(), readiness(context, bed)]);
  return {
    name: bed.name,
    server: serverUrl(bed),
    kubeconfig: context.folders.kubeconfig,
    kubernetes: bed.controlPlane.version,
    network: addresses.cidr,
    processes: processes.map(({ name, pid, running }) => ({ name, pid, running })),
    sites: bed.sites.map(({ name, lan, wanHost, faults }) => ({
      name,
      lan,
      address: addresses.at(wanHost),
      faults,
      wan: describeFaults(faults),
    })),
    nodes: bed.nodes.map((node) => ({
      ...node,
      address: nodeAddress(bed, node).address,
      ready: ready.get(node.name),
    })),
  };
}
