import { managerNamespace } from '@selvedge/api';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import { certificateIn, tlsSecret } from './certificates/secret.ts';
import { openInventory, placeKey } from './inventory/index.ts';
import { tunnelOf } from './tunnel.ts';
import type { CloudStatus } from './types.ts';

/** What the inventory in the cluster tells. Throws `Corrupt` if it cannot be read. */
export async function cloudStatus(cluster: KubeClient, signal: AbortSignal): Promise<CloudStatus> {
  const { inventory } = await openInventory(cluster, signal);
  if (inventory === undefined) return { kind: 'none' };
  const { version, mode, complete, tunnelServers: servers, entries } = inventory;
  const secret = { namespace: managerNamespace, name: tlsSecret };
  const certificate = certificateIn(await ifFound(cluster.get(resources.secrets, secret, { signal })));
  const shown = certificate && {
    names: certificate.names,
    notAfter: new Date(certificate.notAfter).toISOString(),
  };
  const machines = entries.flatMap((one) => (one.kind === 'machine' ? [one.name] : []));
  return {
    kind: 'installed',
    version,
    mode,
    complete,
    tunnel: await tunnelOf({ servers, certificate }, { cluster, signal }),
    ...(shown === undefined ? {} : { certificate: shown }),
    made: entries.flatMap((one) => (one.kind === 'made' ? [placeKey(one.place)] : [])),
    changed: entries.flatMap((one) =>
      one.kind === 'changed' || one.kind === 'text' ? [placeKey(one.place)] : [],
    ),
    machines: [...new Set(machines)],
  };
}
