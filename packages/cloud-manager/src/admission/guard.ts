import { autonomyAnnotations, managerAdmission } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { ObjectReader } from '@selvedge/kube';
import { z } from 'zod';
import { type EdgeNodeObject, nodeOfUser } from '../edge-nodes/index.ts';

/** What is read of a deletion. Source: `admission.k8s.io/v1` AdmissionReview, `meta/v1` DeleteOptions. */
const schema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().max(256),
    operation: z.literal('DELETE'),
    resource: z.object({ group: z.literal(''), resource: z.enum(['nodes', 'pods']) }),
    userInfo: z.object({ username: z.string() }),
    oldObject: z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ nodeName: z.string().default('') }).default({ nodeName: '' }),
    }),
    options: z.object({ gracePeriodSeconds: z.number().nullish() }).nullish(),
  }),
});

export type Deletion = z.output<typeof schema>['request'];

/** On the EdgeNode, not on the Node or the pods: those a node may annotate itself. */
const { allowDeletion } = autonomyAnnotations;

const exemptUsers: readonly string[] = managerAdmission.exemptFromGuard;

export interface GuardDeps {
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
}

/** A deletion that would let something run twice, for all that can be told. */
export interface GuardDenial {
  readonly kind: 'guarded';
  readonly node: string;
  readonly what: 'node' | 'pod';
  readonly state: 'Vouched' | 'Autonomous';
}

/** Throws `Invalid`. */
export function parseDeletion(text: string): Deletion {
  try {
    return schema.parse(JSON.parse(text)).request;
  } catch (cause) {
    const message = 'it is no AdmissionReview of admission.k8s.io/v1 about the deletion of a node or pod';
    throw new SelvedgeError(message, { code: 'Invalid', cause });
  }
}

/** The node whose kubelet is not asked; undefined: it is. */
function nodeOf({ resource, oldObject, options }: Deletion): string | undefined {
  if (resource.resource === 'nodes') return oldObject.metadata.name;
  return options?.gracePeriodSeconds === 0 ? oldObject.spec.nodeName : undefined;
}

const isExempt = (username: string, node: string): boolean =>
  nodeOfUser(username) === node || exemptUsers.includes(username);

/** Why the deletion is to be denied; undefined: let it pass. Whether a node is cut off is what its EdgeNode says. */
export function guardDenialOf(deletion: Deletion, { edgeNodes }: GuardDeps): GuardDenial | undefined {
  const node = nodeOf(deletion);
  if (node === undefined || isExempt(deletion.userInfo.username, node)) return undefined;
  const edgeNode = edgeNodes.get(node);
  if (edgeNode === undefined || edgeNode.metadata.annotations?.[allowDeletion] === 'true') return undefined;
  const { state } = edgeNode.status ?? {};
  if (state !== 'Vouched' && state !== 'Autonomous') return undefined;
  return { kind: 'guarded', node, what: deletion.resource.resource === 'nodes' ? 'node' : 'pod', state };
}

export const guardMessage = ({ node, what, state }: GuardDenial): string =>
  `${what === 'node' ? `node ${node}` : `the pod's node ${node}`} is ${state}: it lost its link, and what runs on it goes on running. If you know that it does not, allow this with kubectl annotate edgenode ${node} ${allowDeletion}=true`;
