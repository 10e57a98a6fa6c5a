import type { NodeCondition } from '@selvedge/kube/types';
import type { Host } from '../host/index.ts';
import { places } from '../places.ts';
import { unitProperties } from '../steps/index.ts';

/** How edge-lite is doing on a machine. */
export interface EdgeLiteState {
  /** The `ActiveState` of its unit. Source: systemctl(1). */
  readonly active: string;
  /** The exit code of its last run, 0 while it is running. */
  readonly exitCode: number;
  /** What it says itself; undefined while it does not answer. */
  readonly status?: LiteStatus;
}

/** A link to a tunnel server. Source: `LinkState` of @selvedge/tunnel. */
export interface TunnelLink {
  /** `host:port`. */
  readonly server: string;
  readonly state: {
    readonly kind: 'idle' | 'connecting' | 'up' | 'waiting' | 'stopped';
    /** Why it is tried again later. */
    readonly error?: string;
  };
}

/** What `edge-lite status` prints, as far as it matters here. */
export interface LiteStatus {
  readonly hub: {
    readonly connectivity?: { readonly kind?: string };
    /** Absent without a tunnel. */
    readonly tunnel?: { readonly links: readonly TunnelLink[] };
    readonly kubeletApi?: { readonly listens: boolean };
  };
  readonly node?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly podCIDRs: readonly string[];
    readonly conditions: readonly NodeCondition[];
  };
}

/** Of `connectivity`, while the hub reaches the API server. */
const online = 'online';

type KnownNode = NonNullable<LiteStatus['node']>;

function lackingOf({ podCIDRs, conditions }: KnownNode): readonly string[] {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return [];
  if (podCIDRs.length === 0) return ['a podCIDR from the cloud'];
  return [`Ready: ${ready?.message ?? 'no status yet'}`];
}

/** What is missing until the node is Ready in the cloud, for people; empty: nothing. Pure. */
export function lacking({ active, status }: EdgeLiteState): readonly string[] {
  if (status === undefined)
    return [active === 'active' ? 'edge-lite to answer' : `edge-lite to start (${active})`];
  if (status.hub.connectivity?.kind !== online) return ['a connection to the API server'];
  return status.node === undefined ? ['the Node object'] : lackingOf(status.node);
}

export async function lookAtEdgeLite(host: Host, signal: AbortSignal): Promise<EdgeLiteState> {
  const properties = 'ActiveState,ExecMainStatus';
  const of = await unitProperties(host, { name: places.unit, properties }, signal);
  const unit = { active: of('ActiveState'), exitCode: Number(of('ExecMainStatus')) };
  const asked = await host.run({ argv: [places.executable, 'status', '--config', places.config] }, signal);
  // What it prints is of our own program.
  return asked.exitCode === 0 ? { ...unit, status: JSON.parse(asked.stdout.toString()) as LiteStatus } : unit;
}
