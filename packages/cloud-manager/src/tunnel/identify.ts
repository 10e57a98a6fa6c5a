import type { X509Certificate } from 'node:crypto';
import { messageOf } from '@selvedge/kit';
import { userOfCertificate } from '@selvedge/kube';
import type { Identity } from '@selvedge/tunnel/server';
import { nodeOfUser } from '../edge-nodes/index.ts';

/**
 * The node of a certificate that the cluster's CA has signed: its common name is `system:node:NAME` and it is in the group
 * `system:nodes`, as the API server has it. A banned node is refused.
 */
export function identifyNode(certificate: X509Certificate, isBanned: (node: string) => boolean): Identity {
  try {
    const { username, groups } = userOfCertificate(certificate);
    const peer = nodeOfUser(username);
    if (peer === undefined || !groups.includes('system:nodes')) {
      return { kind: 'refused', reason: `${username} is no node` };
    }
    if (isBanned(peer)) return { kind: 'refused', reason: `node ${peer} is banned` };
    return { kind: 'accepted', peer };
  } catch (error) {
    return { kind: 'refused', reason: messageOf(error) };
  }
}
