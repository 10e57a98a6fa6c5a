import { SelvedgeError } from '@selvedge/kit';
import { z } from 'zod';
import { nodeOfUser } from '../edge-nodes/index.ts';

/** What is read of a request for admission. Source: `admission.k8s.io/v1` AdmissionReview. */
const reviewSchema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().max(256),
    resource: z.object({ group: z.string(), resource: z.string() }),
    userInfo: z.object({ username: z.string() }),
    object: z.unknown(),
  }),
});

/** The request of a CertificateSigningRequest. */
const csrSchema = z.object({ spec: z.object({ request: z.base64() }) });

export type AdmissionRequest = z.output<typeof reviewSchema>['request'];

export interface AdmissionDeps {
  readonly isBanned: (node: string) => boolean;
  /** The common names in a PEM certificate request. Throws `Invalid` where there are none to be read. */
  readonly commonNames: (pem: string) => readonly string[];
}

/** Throws `Invalid`. */
export function parseReview(text: string): AdmissionRequest {
  try {
    return reviewSchema.parse(JSON.parse(text)).request;
  } catch (cause) {
    throw new SelvedgeError('it is no AdmissionReview of admission.k8s.io/v1', { code: 'Invalid', cause });
  }
}

/** The nodes as which the request would let its sender be seen. */
function certificateNodes({ resource, object }: AdmissionRequest, deps: AdmissionDeps): readonly string[] {
  if (resource.group !== 'certificates.k8s.io' || resource.resource !== 'certificatesigningrequests')
    return [];
  const csr = csrSchema.safeParse(object);
  if (!csr.success) return [];
  try {
    return deps
      .commonNames(Buffer.from(csr.data.spec.request, 'base64').toString('latin1'))
      .map(nodeOfUser)
      .filter((node) => node !== undefined);
  } catch {
    // What cannot be read the API server refuses by itself.
    return [];
  }
}

/** The banned node that the request is of, or would make a certificate for; undefined: let it pass. */
export function bannedNodeOf(request: AdmissionRequest, deps: AdmissionDeps): string | undefined {
  const sender = nodeOfUser(request.userInfo.username);
  const nodes = [...(sender === undefined ? [] : [sender]), ...certificateNodes(request, deps)];
  return nodes.find((node) => deps.isBanned(node));
}

/** The answer. Pure. */
export function reviewAnswer(uid: string, bannedNode: string | undefined): string {
  const status = {
    code: 403,
    reason: 'Forbidden',
    message: `node ${bannedNode} is banned: spec.banned of its EdgeNode is true`,
  };
  const verdict = bannedNode === undefined ? { allowed: true } : { allowed: false, status };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, ...verdict },
  });
}
