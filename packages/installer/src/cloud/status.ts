import { resources } from '@selvedge/kube';
import type { Deployment } from '@selvedge/kube/types';
import type { Reading, Seen, Unread } from '../reading/index.ts';
import { tlsSecret } from './certificates/secret.ts';
import { withoutEgress } from './egress/api-server.ts';
import { lookAtExternal, tlsSecretOf } from './external.ts';
import { type Inventory, inventoryAt, inventoryIn, placeKey } from './inventory/index.ts';
import { managerAt } from './objects/metadata.ts';
import {
  type CertificateFound,
  certificateInSecret,
  publishedOr,
  tunnelBy,
  unreadSigner,
} from './tunnel-status.ts';
import type { CloudStatus, Deployed } from './types.ts';

/** That of the tunnel; unknown too where the name of its Secret is in a Deployment that may not be read. */
async function certificateOf(mode: Inventory['mode'], reading: Reading): Promise<CertificateFound> {
  const deployment: Seen<Deployment> =
    mode === 'unit' ? { kind: 'absent' } : await reading.get(resources.deployments, managerAt);
  if (deployment.kind === 'unread') return unreadSigner([deployment]);
  const mounted = deployment.kind === 'seen' ? tlsSecretOf(deployment.value) : undefined;
  return certificateInSecret(mounted ?? tlsSecret, reading);
}

async function installed(inventory: Inventory, reading: Reading): Promise<CloudStatus> {
  const { version, mode, complete, tunnelServers: servers, entries } = inventory;
  const machines = entries.filter((one) => one.kind === 'machine');
  return {
    kind: 'installed',
    version,
    mode,
    complete,
    ...(await tunnelBy(await certificateOf(mode, reading), { servers }, reading)),
    made: entries.flatMap((one) => (one.kind === 'made' ? [placeKey(one.place)] : [])),
    changed: entries.flatMap((one) =>
      one.kind === 'changed' || one.kind === 'text' ? [placeKey(one.place)] : [],
    ),
    machines: [...new Set(machines.map(({ name }) => name))],
    unwired: complete && mode === 'unit' ? await withoutEgress(reading) : [],
  };
}

/** What there is of cloud-manager without these. */
async function unreadPart(missing: readonly Unread[], reading: Reading): Promise<Deployed> {
  const unknown = unreadSigner(missing);
  return { tunnel: await publishedOr(unknown, { servers: [], serversUnknown: unknown.why }, reading) };
}

/**
 * What the inventory in the cluster tells, else what there is without one. What may not be read is told by `reading`, and unknown.
 * Throws `Corrupt` if the inventory cannot be read.
 */
export async function cloudStatus(reading: Reading): Promise<CloudStatus> {
  const stored = await reading.get(resources.configMaps, inventoryAt);
  const inventory = stored.kind === 'seen' ? inventoryIn(stored.value) : undefined;
  if (inventory !== undefined) return installed(inventory, reading);
  const deployment = await reading.get(resources.deployments, managerAt);
  const missing = [stored, deployment].flatMap((one) => (one.kind === 'unread' ? [one] : []));
  const isThere = deployment.kind === 'seen';
  if (missing.length === 0 && !isThere) return { kind: 'none' };
  const seen = isThere ? await lookAtExternal(deployment.value, reading) : await unreadPart(missing, reading);
  return missing.length === 0
    ? { kind: 'external', ...seen }
    : { kind: 'unknown', why: unreadSigner(missing).why, ...seen };
}
