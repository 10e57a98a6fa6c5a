import { SelvedgeError, hasCode, messageOf } from '@selvedge/kit';
import { z } from 'zod';
import type { RequestedNames } from '../csr/index.ts';
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

/** What a PEM certificate request asks to be called. Throws `Invalid` where it may be read in several ways or in none. */
export type NamesIn = (pem: string) => RequestedNames;

export interface AdmissionDeps {
  readonly isBanned: (node: string) => boolean;
  readonly namesIn: NamesIn;
}

/** Throws `Invalid`. */
export function parseReview(text: string): AdmissionRequest {
  try {
    return reviewSchema.parse(JSON.parse(text)).request;
  } catch (cause) {
    throw new SelvedgeError('it is no AdmissionReview of admission.k8s.io/v1', { code: 'Invalid', cause });
  }
}

/** Why a request is denied. */
export type Denial =
  | { readonly kind: 'banned'; readonly node: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** The nodes as which the request would let its sender be seen. Throws `Invalid` when that cannot be told. */
function certificateNodes({ resource, object }: AdmissionRequest, deps: AdmissionDeps): readonly string[] {
  if (resource.group !== 'certificates.k8s.io' || resource.resource !== 'certificatesigningrequests')
    return [];
  const csr = csrSchema.safeParse(object);
  // What has no request, the API server refuses by itself; a deletion has none.
  if (!csr.success) return [];
  const { commonNames } = deps.namesIn(Buffer.from(csr.data.spec.request, 'base64').toString('latin1'));
  return commonNames.map(nodeOfUser).filter((node) => node !== undefined);
}

/**
 * Why the request is to be denied: it is of a banned node, or would make a certificate for one, or may do so for all that
 * can be told, as whoever signs it may read it otherwise. undefined: let it pass.
 */
export function denialOf(request: AdmissionRequest, deps: AdmissionDeps): Denial | undefined {
  const sender = nodeOfUser(request.userInfo.username);
  try {
    const nodes = [...(sender === undefined ? [] : [sender]), ...certificateNodes(request, deps)];
    const node = nodes.find((each) => deps.isBanned(each));
    return node === undefined ? undefined : { kind: 'banned', node };
  } catch (error) {
    if (hasCode(error, 'Invalid')) return { kind: 'unreadable', why: messageOf(error) };
    throw error;
  }
}

export const denialMessage = (denial: Denial): string =>
  denial.kind === 'banned'
    ? `node ${denial.node} is banned: spec.banned of its EdgeNode is true`
    : `the certificate request cannot be told to be of no banned node: ${denial.why}`;

const answer = (uid: string, verdict: object): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, ...verdict },
  });

/** The answer; `why` it is denied, and what is told beside. Pure. */
export function reviewAnswer(uid: string, why: string | undefined, warnings: readonly string[] = []): string {
  const beside = warnings.length === 0 ? {} : { warnings };
  if (why === undefined) return answer(uid, { allowed: true, ...beside });
  const status = { code: 403, reason: 'Forbidden', message: why };
  return answer(uid, { allowed: false, status, ...beside });
}
