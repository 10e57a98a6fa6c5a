import type { KubeObject } from '@selvedge/kube';
import type { Node, Service } from '@selvedge/kube/types';
import type { Logger, Listeners } from '@selvedge/kit';
import { createListeners } from '@selvedge/kit';
import type { ObjectName, Replica } from '../replica/types.ts';
import type { PodIdentity } from '../request.ts';
import { type LocalPods, createLocalPods } from './local-pods.ts';
import { createMirror } from './mirror.ts';
import { isOwnAddress } from './own-addresses.ts';

export interface FactsOptions {
  readonly nodeName: string;
}

export interface FactsDeps {
  readonly replica: Pick<Replica, 'base' | 'coverages' | 'reader'>;
  /** The addresses of the machine's interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  readonly log: Logger;
}

/** What the hub knows of its node from the replica, at once and offline too. */
export interface Facts extends Disposable {
  readonly pods: LocalPods;
  /** The addresses of the Service `default/kubernetes`. */
  readonly clusterIPs: readonly string[];
  hasPod(pod: PodIdentity): boolean;
  /** Whether a connection comes from this node or one of its pods. */
  isOwn(remoteAddress: string): boolean;
  onPods(changed: () => void): Disposable;
  onClusterIPs(changed: () => void): Disposable;
}

const kubernetes = { namespace: 'default', name: 'kubernetes' };

const isNamed = ({ metadata }: KubeObject, { namespace, name }: ObjectName): boolean =>
  metadata.name === name && (metadata.namespace ?? '') === namespace;

interface Mirrored {
  readonly pods: LocalPods;
  readonly podRanges: () => readonly string[];
  readonly clusterIPs: () => readonly string[];
  readonly close: () => void;
}

function mirrorAll(
  { nodeName }: FactsOptions,
  { replica }: FactsDeps,
  changed: { readonly pods: () => void; readonly clusterIPs: () => void },
): Mirrored {
  const ownNode = { namespace: '', name: nodeName };
  const node = createMirror(
    {
      reader: replica.reader('v1/nodes'),
      pick: (object) => (isNamed(object, ownNode) ? ((object as Node).spec?.podCIDRs ?? []) : undefined),
    },
    () => undefined,
  );
  const service = createMirror(
    {
      reader: replica.reader('v1/services'),
      pick: (object) => (isNamed(object, kubernetes) ? true : undefined),
    },
    changed.clusterIPs,
  );
  const pods = createLocalPods({ nodeName }, { replica, changed: changed.pods });
  return {
    pods,
    podRanges: () => [...node.values()].flat(),
    clusterIPs() {
      // Not as it is shown: a view may lead the Service to the hub.
      const base: Service | undefined = replica.base('v1/services', kubernetes);
      return base?.spec?.clusterIPs ?? [];
    },
    close() {
      for (const one of [node, service, pods]) one[Symbol.dispose]();
    },
  };
}

export function createFacts(options: FactsOptions, deps: FactsDeps): Facts {
  const listeners: { readonly pods: Listeners<void>; readonly clusterIPs: Listeners<void> } = {
    pods: createListeners(deps.log),
    clusterIPs: createListeners(deps.log),
  };
  const { pods, podRanges, clusterIPs, close } = mirrorAll(options, deps, {
    pods: () => listeners.pods.tell(),
    clusterIPs: () => listeners.clusterIPs.tell(),
  });
  const sources = {
    machine: deps.machineAddresses,
    podRanges,
    isPod: (address: string) => pods.at(address) !== undefined,
  };
  return {
    pods,
    get clusterIPs() {
      return clusterIPs();
    },
    hasPod: ({ namespace, name, uid }) => pods.get({ namespace, name })?.uid === uid,
    isOwn: (remoteAddress) => isOwnAddress(remoteAddress, sources),
    onPods: (changed) => listeners.pods.add(changed),
    onClusterIPs: (changed) => listeners.clusterIPs.add(changed),
    [Symbol.dispose]: close,
  };
}
