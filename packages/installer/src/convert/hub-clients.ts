import { join } from 'node:path';
import type { NodeSight } from '../cluster/index.ts';
import { talksTo } from '../facts/index.ts';
import type { Host } from '../host/index.ts';
import type { KubeletLayout, Layout } from '../layouts/index.ts';
import { places } from '../places.ts';
import type { Fault, Patience } from './patience.ts';

/** A unit whose program was told to talk to the hub. */
interface Client extends Fault {
  readonly unit: string;
}

/** The cloud sees no difference: edge-lite tells of the hub itself, and a kubelet reports without it as well. */
export type HubClients = (sight: Pick<NodeSight, 'ready'>, signal: AbortSignal) => Promise<readonly string[]>;

export interface HubClientsDeps {
  readonly host: Host;
  readonly patience: Patience;
  /** When the kubelet was started, as in `NodeSight`. */
  readonly startedMs: number | undefined;
}

interface Edited {
  readonly what: string;
  readonly unit: string;
  readonly file: string;
}

/** Whoever does not talk to the hub did not read what was changed. */
const clientOf = ({ what, unit, file }: Edited, others = ''): Client => ({
  unit,
  what: `its ${what} does not talk to the hub`,
  hint: `${file} leads there, but something else is read: see systemctl cat ${unit} and the arguments of its process${others}`,
});

/** What leads k3s and RKE2 elsewhere. */
const rancherOverrides =
  ' for --config, K3S_CONFIG_FILE, RKE2_CONFIG_FILE, or --kubelet-arg with another kubeconfig';

function kubeletOf({ unit, kubeconfig, change }: KubeletLayout): Client {
  if (change.kind === 'edit') return clientOf({ what: 'kubelet', unit, file: kubeconfig });
  return clientOf(
    { what: 'kubelet', unit, file: join(change.folder, places.rancherDropIn) },
    rancherOverrides,
  );
}

function clientsOf({ kubelet, kubeProxy }: Pick<Layout, 'kubelet' | 'kubeProxy'>): readonly Client[] {
  if (kubeProxy.kind !== 'unit') return [kubeletOf(kubelet)];
  const { unit, kubeconfig } = kubeProxy;
  return [kubeletOf(kubelet), clientOf({ what: 'kube-proxy', unit, file: kubeconfig })];
}

/**
 * Looks on the machine which of those who must talk to the hub do not, since they were started again: one that was seen to is not
 * asked again. Throws `Conflict` if one does not for a while of which the cloud has heard from the kubelet.
 */
export function createHubClients(
  {
    layout,
    hubPort: port,
  }: { readonly layout: Pick<Layout, 'kubelet' | 'kubeProxy'>; readonly hubPort: number },
  { host, patience, startedMs = 0 }: HubClientsDeps,
): HubClients {
  const awaited = new Set(clientsOf(layout));
  return async ({ ready }, signal) => {
    for (const client of awaited) {
      if (!(await talksTo(host, { unit: client.unit, port }, signal))) {
        // Until it is up, nothing is known of what it reads.
        return ready.heartbeatMs < startedMs ? [client.what] : patience.meet(client);
      }
      awaited.delete(client);
    }
    return [];
  };
}
