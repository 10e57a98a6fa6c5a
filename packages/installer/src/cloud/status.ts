import { managerNamespace } from '@selvedge/api';
import { resources } from '@selvedge/kube';
import type { Deployment, Secret } from '@selvedge/kube/types';
import { type Reading, type Seen, type Unread, seenOr } from '../reading/index.ts';
import { certificateIn, shownOf, tlsSecret } from './certificates/secret.ts';
import { withoutEgress } from './egress/api-server.ts';
import { lookAtExternal, tlsSecretOf } from './external.ts';
import { type Inventory, inventoryAt, inventoryIn, placeKey } from './inventory/index.ts';
import { managerAt } from './objects/metadata.ts';
import { caBeyond, clusterCaAt, clusterCaIn } from './tunnel.ts';
import { publishedOr, unreadSigner } from './tunnel-status.ts';
import type { CertificateSeen, CloudStatus, Deployed, TunnelStatus } from './types.ts';

/** The Secret of the tunnel; `unread` too where its name is in a Deployment that may not be read. */
async function secretOf(mode: Inventory['mode'], reading: Reading): Promise<Seen<Secret>> {
  const deployment: Seen<Deployment> =
    mode === 'unit' ? { kind: 'absent' } : await reading.get(resources.deployments, managerAt);
  if (deployment.kind === 'unread') return deployment;
  const mounted = deployment.kind === 'seen' ? tlsSecretOf(deployment.value) : undefined;
  return reading.get(resources.secrets, { namespace: managerNamespace, name: mounted ?? tlsSecret });
}

async function caOf(certificate: CertificateSeen, reading: Reading): Promise<string | undefined> {
  const root = await reading.get(resources.configMaps, clusterCaAt);
  return caBeyond(clusterCaIn(seenOr(root, {})), certificate);
}

async function tunnelOf(
  servers: readonly string[],
  secret: Seen<Secret>,
  reading: Reading,
): Promise<TunnelStatus> {
  if (secret.kind === 'unread') return publishedOr(unreadSigner([secret]), { servers }, reading);
  const certificate = certificateIn(seenOr(secret, undefined));
  return { kind: 'known', servers, ca: certificate && (await caOf(certificate, reading)) };
}

async function installed(inventory: Inventory, reading: Reading): Promise<CloudStatus> {
  const { version, mode, complete, tunnelServers: servers, entries } = inventory;
  const secret = await secretOf(mode, reading);
  const certificate = certificateIn(seenOr(secret, undefined));
  const machines = entries.filter((one) => one.kind === 'machine');
  return {
    kind: 'installed',
    version,
    mode,
    complete,
    tunnel: await tunnelOf(servers, secret, reading),
    ...(certificate === undefined ? {} : { certificate: shownOf(certificate) }),
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
