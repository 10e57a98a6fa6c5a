import { managerNamespace } from '@selvedge/api';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Hosts } from '../../host/index.ts';
import { openInventory } from '../inventory/index.ts';
import { isMarkedAsMade } from '../objects/metadata.ts';
import type { CloudUndoSeen } from '../types.ts';
import { adoptLabelled } from './adopt.ts';
import { goneAmong } from './gone.ts';
import { strangersIn } from './strangers.ts';

interface LookDeps {
  readonly cluster: KubeClient;
  readonly hosts: Pick<Hosts, 'viaKubelet'>;
  readonly signal: AbortSignal;
}

/** Whether the installer made the namespace, and nobody is deleting it. */
async function isNamespaceOurs({ cluster, signal }: LookDeps): Promise<boolean> {
  const found = await ifFound(cluster.get(resources.namespaces, { name: managerNamespace }, { signal }));
  return found !== undefined && isMarkedAsMade(found) && found.metadata.deletionTimestamp === undefined;
}

/** Source: helm.sh "helm list", how releases are kept. */
async function isHelms({ cluster, signal }: LookDeps): Promise<boolean> {
  const { items } = await cluster.listAll(resources.secrets, {
    namespace: managerNamespace,
    labelSelector: 'owner=helm,name=selvedge',
    metadataOnly: true,
    signal,
  });
  return items.length > 0;
}

/** Looks at what there is of ours in the cloud. Changes nothing. Throws `Corrupt` for an inventory that cannot be read. */
export async function lookAtCloudUndo(deps: LookDeps): Promise<CloudUndoSeen> {
  const { inventory } = await openInventory(deps.cluster, deps.signal);
  const isOurs = await isNamespaceOurs(deps);
  return {
    inventory,
    adopted: await adoptLabelled(inventory, deps),
    gone: await goneAmong(inventory?.entries ?? [], deps),
    isNamespaceOurs: isOurs,
    strangers: isOurs ? await strangersIn(deps) : [],
    isHelms: await isHelms(deps),
    viaKubelet: deps.hosts.viaKubelet === true,
  };
}
