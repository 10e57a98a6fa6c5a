import { autonomyAnnotations } from '@selvedge/api';
import { type Clock, TokenBucket, hasCode } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  type ObjectReader,
  type Resource,
  resources,
} from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import type { EdgeNodeObject } from '../../edge-nodes/index.ts';
import type { AutonomyOptions } from '../options.ts';
import { isFailedOver } from './node-plan.ts';

const { failover: annotation } = autonomyAnnotations;

export interface FailoverDeps {
  readonly client: Pick<KubeClient, 'get'>;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly nodes: ObjectReader<Node>;
  /** By the index `node`. */
  readonly pods: ObjectReader<Pod>;
  /** Of the node's unit, itself among them. */
  readonly membersOf: (node: string) => readonly string[];
  readonly clock: Clock;
}

/** Whether a dead node may lose its pods now. */
export type Permission =
  | { readonly kind: 'granted' }
  /** Not before the object says so. */
  | { readonly kind: 'withheld'; readonly why: string }
  /** Later. */
  | { readonly kind: 'limited'; readonly why: string };

const timeoutMs = 5_000;

const hasOptedIn = ({ metadata }: KubeObject): boolean => metadata.annotations?.[annotation] === 'true';

interface Owner {
  readonly resource: Resource<KubeObject>;
  readonly namespace: string;
  readonly name: string;
}

/** What has to agree before the pod is replaced: its StatefulSet, else its claims. None: it may be replaced any time. */
export function ownersOf({ metadata, spec }: Pod): readonly Owner[] {
  const { namespace = '', ownerReferences = [] } = metadata;
  const set = ownerReferences.find(({ kind, controller }) => kind === 'StatefulSet' && controller === true);
  if (set !== undefined) return [{ resource: resources.statefulSets, namespace, name: set.name }];
  return (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim === undefined
      ? []
      : [{ resource: resources.persistentVolumeClaims, namespace, name: claim.claimName }],
  );
}

/** How many members of a unit may have failed over at a time: one always, for else a small unit would never. Pure. */
export const allowedOfUnit = (members: number, percent: number): number =>
  Math.max(1, Math.floor((members * percent) / 100));

/** Decides about one dead node after the other. */
export class Failover {
  readonly #options: AutonomyOptions['failover'];
  readonly #deps: FailoverDeps;
  readonly #bucket: TokenBucket;
  /** What was granted is seen later, in the Nodes. */
  readonly #granted = new Set<string>();

  constructor(options: AutonomyOptions['failover'], deps: FailoverDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#bucket = new TokenBucket({ burst: options.burst, perSecond: options.perMinute / 60 }, deps.clock);
  }

  async permission(node: string, signal: AbortSignal): Promise<Permission> {
    const unwilling = await this.#unwilling(node, signal);
    if (unwilling !== undefined) {
      const why = `${unwilling} has no annotation ${annotation}: "true"`;
      return { kind: 'withheld', why };
    }
    const members = this.#deps.membersOf(node);
    const others = members.filter((member) => member !== node && this.#isGone(member)).length;
    if (others + 1 > allowedOfUnit(members.length, this.#options.unitPercent)) {
      return { kind: 'limited', why: `${others} of ${members.length} members of its unit have failed over` };
    }
    if (!this.#bucket.take()) {
      return { kind: 'limited', why: `${this.#options.perMinute} nodes a minute may fail over` };
    }
    // Nothing is waited for between this and the look at the others.
    this.#granted.add(node);
    return { kind: 'granted' };
  }

  /** The node is not dead any more, or gone. */
  forget(node: string): void {
    this.#granted.delete(node);
  }

  #isGone(member: string): boolean {
    if (this.#granted.has(member)) return true;
    const node = this.#deps.nodes.get(member);
    return node !== undefined && isFailedOver(node);
  }

  /** Whose consent is missing. */
  async #unwilling(node: string, signal: AbortSignal): Promise<string | undefined> {
    const edgeNode = this.#deps.edgeNodes.get(node);
    if (edgeNode !== undefined && hasOptedIn(edgeNode)) return undefined;
    for (const pod of this.#deps.pods.byIndex('node', node)) {
      for (const owner of ownersOf(pod)) {
        if (!(await this.#agrees(owner, signal))) {
          return `${owner.resource.kind} ${owner.namespace}/${owner.name}`;
        }
      }
    }
    return undefined;
  }

  async #agrees({ resource, namespace, name }: Owner, signal: AbortSignal): Promise<boolean> {
    try {
      return hasOptedIn(await this.#deps.client.get(resource, { namespace, name }, { timeoutMs, signal }));
    } catch (error) {
      // Whoever would agree is gone, and nobody makes the pod anew.
      if (hasCode(error, 'NotFound')) return true;
      throw error;
    }
  }
}
