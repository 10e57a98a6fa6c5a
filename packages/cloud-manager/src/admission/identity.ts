import { bootstrapGroupOf, bootstrappersGroup, joinAnnotations, nodesOfBootstrapGroups } from '@selvedge/api';
import { SelvedgeError, hasCode, messageOf } from '@selvedge/kit';
import type { KubeObject, ObjectReader } from '@selvedge/kube';
import { z } from 'zod';
import { type EdgeNodeObject, nodeOfUser } from '../edge-nodes/index.ts';
import type { NamesIn } from './review.ts';

/** What is read of a request for a certificate. Source: `certificates.k8s.io/v1` CertificateSigningRequest. */
const schema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().max(256),
    operation: z.literal('CREATE'),
    userInfo: z.object({ username: z.string(), groups: z.array(z.string()).default([]) }),
    object: z.object({ spec: z.object({ request: z.base64(), signerName: z.string() }) }),
  }),
});

export type CertificateReview = z.output<typeof schema>['request'];

export const nodeClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

export interface IdentityDeps {
  readonly nodes: Pick<ObjectReader<KubeObject>, 'get'>;
  readonly edgeNodes: Pick<ObjectReader<EdgeNodeObject>, 'get'>;
  readonly namesIn: NamesIn;
}

/** Throws `Invalid`. */
export function parseCertificateReview(text: string): CertificateReview {
  try {
    return schema.parse(JSON.parse(text)).request;
  } catch (cause) {
    const message = 'it is no AdmissionReview of admission.k8s.io/v1 about a new certificate request';
    throw new SelvedgeError(message, { code: 'Invalid', cause });
  }
}

type Names = ReturnType<NamesIn>;

const nodesGroup = 'system:nodes';

/** Whether somebody with the certificate could be taken for a node, whoever signs it. */
const isOfNodes = ({ commonNames, organizations }: Names): boolean =>
  organizations.includes(nodesGroup) || commonNames.some((name) => nodeOfUser(name) !== undefined);

/** The node that is asked for, or why it is none. Source: kubernetes.io "Certificate Signing Requests", of the signer. */
function nodeIn(names: Names): { readonly node: string } | { readonly why: string } {
  const [commonName = '', ...moreNames] = names.commonNames;
  const node = nodeOfUser(commonName);
  if (node === undefined || moreNames.length > 0)
    return { why: 'its common name is not system:node: and the name of one node' };
  if (names.organizations.join() !== nodesGroup)
    return { why: `its organization is not ${nodesGroup} alone` };
  if (names.otherAttributes.length > 0) return { why: `its subject has a ${names.otherAttributes[0]}` };
  const others = [...names.dnsNames, ...names.addresses, ...names.otherNames];
  return others.length > 0 ? { why: `it asks for the name ${others[0]} too` } : { node };
}

/** Whether there is such a node, or was and nobody said that it may come again. Once it has come it is taken again. */
function isTaken(node: string, { nodes, edgeNodes }: IdentityDeps): boolean {
  const edgeNode = edgeNodes.get(node);
  if (edgeNode?.metadata.annotations?.[joinAnnotations.allowJoin] === 'true')
    return edgeNode.status?.state === 'Connected';
  return nodes.get(node) !== undefined || edgeNode?.status?.state !== undefined;
}

/** What helps. */
const remedyOf = (node: string, { edgeNodes }: IdentityDeps): string =>
  edgeNodes.get(node) === undefined
    ? 'delete the Node'
    : `delete the Node and the EdgeNode, or allow it, as long as the node is not Connected, with kubectl annotate edgenode ${node} ${joinAnnotations.allowJoin}=true`;

function problemOfJoining(names: Names, groups: readonly string[], deps: IdentityDeps): string | undefined {
  const found = nodeIn(names);
  if ('why' in found) return `a bootstrap token asks for the client certificate of one node: ${found.why}`;
  const { node } = found;
  const bound = nodesOfBootstrapGroups(groups);
  if (bound !== undefined && !bound.includes(node))
    return `the bootstrap token is not for node ${node}: it has not the group ${bootstrapGroupOf(node)}, but those of ${bound.join(', ')}`;
  if (!isTaken(node, deps)) return undefined;
  return `there is a node ${node} already, and a bootstrap token makes no second one. If its machine was replaced, ${remedyOf(node, deps)}`;
}

/**
 * Why somebody with a bootstrap token must not have the certificate; undefined: nothing is against it. Whoever else asks is
 * none of its business, nor is what could not be taken for a node.
 */
export function identityDenialOf(
  { userInfo: { groups }, object: { spec } }: CertificateReview,
  deps: IdentityDeps,
): string | undefined {
  if (!groups.includes(bootstrappersGroup)) return undefined;
  try {
    const names = deps.namesIn(Buffer.from(spec.request, 'base64').toString('latin1'));
    if (spec.signerName === nodeClientSigner) return problemOfJoining(names, groups, deps);
    if (!isOfNodes(names)) return undefined;
    return `a bootstrap token asks for the certificate of a node from ${nodeClientSigner} and no other signer`;
  } catch (error) {
    if (hasCode(error, 'Invalid'))
      return `the certificate request cannot be told to be of a new node: ${messageOf(error)}`;
    throw error;
  }
}
