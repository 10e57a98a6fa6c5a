import { isIP } from 'node:net';
import { isOfNoHost, plainHost } from '@selvedge/kit/net';
import type { CertificateSigningRequestSpec, Node } from '@selvedge/kube/types';
import { nodeOfUser } from '../edge-nodes/index.ts';
import type { RequestedNames } from './request.ts';
import type { IsReserved } from './reserved.ts';

/** What becomes of a certificate request. `leave`: it is somebody else's to decide. */
export type CsrDecision =
  | { readonly kind: 'approve'; readonly node: string }
  | { readonly kind: 'deny'; readonly node: string }
  | { readonly kind: 'leave'; readonly why: string };

/** What is known of the node that asks. */
export interface Requester {
  readonly node: Node | undefined;
  readonly isBanned: boolean;
  readonly isReserved: IsReserved;
  /** Below it a node has the one name that is its own: other clients reach it by that. */
  readonly domain: string;
}

const servingSigner = 'kubernetes.io/kubelet-serving';
const nodeSigners: readonly string[] = [servingSigner, 'kubernetes.io/kube-apiserver-client-kubelet'];

const nodesGroup = 'system:nodes';
const servingUsages = ['digital signature', 'server auth'];
const optionalUsages = ['key encipherment'];
const dnsTypes = ['Hostname', 'InternalDNS', 'ExternalDNS'];
const ipTypes = ['InternalIP', 'ExternalIP'];

/** IPv4 as a part of IPv6: another address here than for who verifies a certificate. */
const isMapped = (ip: string): boolean => isIP(ip) === 6 && isIP(plainHost(ip)) === 4;

function addressesOf(node: Node, types: readonly string[]): readonly string[] {
  const all = node.status?.addresses ?? [];
  return all.filter(({ type }) => types.includes(type)).map(({ address }) => address);
}

/** A name of this node alone: its own, its one in the domain, or one below its own that is none of a Service. */
function isOwnName(dnsName: string, nodeName: string, domain: string): boolean {
  if (dnsName.endsWith(`.${domain}`)) return dnsName === `${nodeName}.${domain}`;
  if (dnsName === nodeName) return true;
  return dnsName.startsWith(`${nodeName}.`) && !/\.svc(\.|$)/.test(dnsName);
}

/** Why the names are not this node's to ask for; undefined if they are. */
function problemOfNames(
  names: RequestedNames,
  node: Node,
  { isReserved, domain }: Requester,
): string | undefined {
  const dns = addressesOf(node, dnsTypes).map((each) => each.toLowerCase());
  const ips = addressesOf(node, ipTypes).map(plainHost);
  if (names.otherNames.length > 0) return `it asks for a name of the kind ${names.otherNames[0]}`;
  if (names.dnsNames.length + names.addresses.length === 0)
    return 'it names neither a DNS name nor an address';
  const name = names.dnsNames.find(
    (each) =>
      !dns.includes(each.toLowerCase()) || !isOwnName(each.toLowerCase(), node.metadata.name ?? '', domain),
  );
  if (name !== undefined) return `${name} is no name of the Node`;
  const ip = names.addresses.find(
    (each) => !ips.includes(plainHost(each)) || isOfNoHost(each) || isMapped(each),
  );
  if (ip !== undefined) return `${ip} is no address of the Node`;
  const reserved = [...names.dnsNames, ...names.addresses].find(isReserved);
  return reserved === undefined ? undefined : `${reserved} is reserved`;
}

function problemOfSubject(names: RequestedNames, username: string): string | undefined {
  if (names.commonNames.length !== 1 || names.commonNames[0] !== username) {
    return `its common name ${JSON.stringify(names.commonNames.join())} is not the requester's`;
  }
  const organizations = names.organizations.join();
  if (organizations !== nodesGroup)
    return `its organization ${JSON.stringify(organizations)} is not ${nodesGroup}`;
  return names.otherAttributes.length === 0 ? undefined : `its subject has a ${names.otherAttributes[0]}`;
}

function problemOfUsages(usages: readonly string[]): string | undefined {
  const missing = servingUsages.find((usage) => !usages.includes(usage));
  if (missing !== undefined) return `it lacks the usage ${missing}`;
  const other = usages.find((usage) => ![...servingUsages, ...optionalUsages].includes(usage));
  return other === undefined ? undefined : `it asks for the usage ${other}`;
}

const leave = (why: string): CsrDecision => ({ kind: 'leave', why });

/** Why a serving certificate is not the node's to have; undefined if it is. */
function problemOfServing(
  { username = '', usages = [] }: CertificateSigningRequestSpec,
  names: RequestedNames,
  requester: Requester,
): string | undefined {
  const { node } = requester;
  if (node === undefined) return 'there is no such Node';
  return (
    problemOfUsages(usages) ?? problemOfSubject(names, username) ?? problemOfNames(names, node, requester)
  );
}

/**
 * What to do about a pending request. Serving certificates of nodes are approved when requester, subject, usages and
 * names are the Node's own; requests of banned nodes are denied; everything else is left alone. The node writes its status
 * itself: so names in it count if they are the Node's own name or below it, addresses if they are not reserved, which those of
 * Services and of the control plane are. The address of another node counts: sites have the same networks. Pure; `readNames`
 * may throw. Source: kubernetes.io "Certificate Signing Requests", `kubernetes.io/kubelet-serving`.
 */
export function decideCsr(
  spec: CertificateSigningRequestSpec,
  readNames: () => RequestedNames,
  requester: Requester,
): CsrDecision {
  const { username = '', groups = [], signerName } = spec;
  const node = nodeOfUser(username);
  if (node === undefined || !groups.includes(nodesGroup)) return leave('the requester is no node');
  if (requester.isBanned && nodeSigners.includes(signerName)) return { kind: 'deny', node };
  if (signerName !== servingSigner) return leave(`the signer is ${signerName}`);
  const problem = problemOfServing(spec, readNames(), requester);
  return problem === undefined ? { kind: 'approve', node } : leave(problem);
}
