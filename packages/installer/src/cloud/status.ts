import { managerNamespace } from '@selvedge/api';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import { certificateIn, shownOf, tlsSecret } from './certificates/secret.ts';
import { lookAtExternal, tlsSecretOf } from './external.ts';
import { managerAt } from './objects/metadata.ts';
import { openInventory, placeKey } from './inventory/index.ts';
import { withoutEgress } from './egress/api-server.ts';
import { tunnelOf } from './tunnel.ts';
import type { CloudStatus } from './types.ts';

/** What the inventory in the cluster tells, else what there is without one. Throws `Corrupt` if it cannot be read. */
export async function cloudStatus(cluster: KubeClient, signal: AbortSignal): Promise<CloudStatus> {
  const { inventory } = await openInventory(cluster, signal);
  if (inventory === undefined) return (await lookAtExternal({ cluster, signal })) ?? { kind: 'none' };
  const { version, mode, complete, tunnelServers: servers, entries } = inventory;
  const deployment =
    mode === 'unit' ? undefined : await ifFound(cluster.get(resources.deployments, managerAt, { signal }));
  const secret = { namespace: managerNamespace, name: (deployment && tlsSecretOf(deployment)) ?? tlsSecret };
  const certificate = certificateIn(await ifFound(cluster.get(resources.secrets, secret, { signal })));
  const machines = entries.filter((one) => one.kind === 'machine');
  const wired = machines.flatMap(({ phase, name }) => (phase === 'egress' ? [name] : []));
  return {
    kind: 'installed',
    version,
    mode,
    complete,
    tunnel: await tunnelOf({ servers, certificate }, { cluster, signal }),
    ...(certificate === undefined ? {} : { certificate: shownOf(certificate) }),
    made: entries.flatMap((one) => (one.kind === 'made' ? [placeKey(one.place)] : [])),
    changed: entries.flatMap((one) =>
      one.kind === 'changed' || one.kind === 'text' ? [placeKey(one.place)] : [],
    ),
    machines: [...new Set(machines.map(({ name }) => name))],
    unwired: complete && wired.length > 0 ? await withoutEgress(wired, cluster, signal) : [],
  };
}
