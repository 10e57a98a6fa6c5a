import { type KeyObject, createHash, createPublicKey } from 'node:crypto';
import { type Clock, type Logger, SelvedgeError, hasCode } from '@selvedge/kit';
import { createCsr } from '@selvedge/kit/x509';
import { type KubeClient, resources } from '@selvedge/kube';
import type { CertificateSigningRequest } from '@selvedge/kube/types';
import { nodeUser } from './pair.ts';

/** What a node's certificate is for. */
export interface CertificatePurpose {
  /** Source: kubernetes.io "Certificates and Certificate Signing Requests", Kubernetes signers. */
  readonly signerName: string;
  readonly usages: readonly string[];
  /** DNS names and IP addresses under which the node serves. */
  readonly names: readonly string[];
  /** The longest pause between two looks at whether it was issued, in milliseconds. */
  readonly maxPollMs: number;
}

/** By which the node calls the API server. */
export const clientPurpose: CertificatePurpose = {
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: ['digital signature', 'client auth'],
  names: [],
  maxPollMs: 5_000,
};

export interface CertificateRequestOptions {
  readonly nodeName: string;
  readonly purpose: CertificatePurpose;
  readonly key: KeyObject;
  readonly signal: AbortSignal;
}

export interface CertificateRequestDeps {
  readonly client: Pick<KubeClient, 'get' | 'create'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
}

const firstPollMs = 250;

/** The same name for the same key and names: a request that was sent before a crash is found again. */
function requestName(key: KeyObject, nodeName: string, names: readonly string[]): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const owner = [nodeName, ...names].join(' ');
  const hash = createHash('sha256').update(publicKey).update(owner).digest('hex');
  return `node-csr-${hash.slice(0, 43)}`;
}

function requestOf({ key, nodeName, purpose }: CertificateRequestOptions): CertificateSigningRequest {
  const { signerName, usages, names } = purpose;
  const csr = createCsr({ commonName: nodeUser(nodeName), organization: 'system:nodes' }, key, names);
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: requestName(key, nodeName, names) },
    spec: {
      request: Buffer.from(csr).toString('base64'),
      signerName,
      usages: [...usages],
    },
  };
}

const condition = (csr: CertificateSigningRequest, type: string): string | undefined => {
  const found = csr.status?.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.reason ?? type}: ${found.message ?? ''}`;
};

/** The issued chain, undefined while there is none. Throws `Forbidden` when there will be none. */
function issuedChain(csr: CertificateSigningRequest): string | undefined {
  const denied = condition(csr, 'Denied') ?? condition(csr, 'Failed');
  if (denied !== undefined) {
    throw new SelvedgeError(`certificate request ${csr.metadata.name ?? ''} was refused (${denied})`, {
      code: 'Forbidden',
      hint: 'ask the cluster administrator why; kubectl describe csr tells who refused it',
    });
  }
  const encoded = csr.status?.certificate;
  return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString();
}

/**
 * Asks for a certificate of the node and waits until it is approved and issued, for as long as that takes. Rejects
 * with `Forbidden` if it is denied or may not be asked for, `Unauthenticated` if the credentials are not accepted,
 * `NotFound` if the request was removed meanwhile, and with what the connection says.
 */
export async function requestCertificate(
  options: CertificateRequestOptions,
  { client, clock, log }: CertificateRequestDeps,
): Promise<string> {
  const { signal, purpose } = options;
  const { maxPollMs } = purpose;
  const request = requestOf(options);
  const name = request.metadata.name ?? '';
  try {
    await client.create(resources.certificateSigningRequests, request, { signal });
    log.info('certificate requested', { request: name, signer: purpose.signerName });
  } catch (error) {
    if (!hasCode(error, 'AlreadyExists')) throw error;
    log.info('certificate request found again', { request: name });
  }
  for (let pauseMs = firstPollMs; ; pauseMs = Math.min(maxPollMs, pauseMs * 2)) {
    const chain = issuedChain(await client.get(resources.certificateSigningRequests, { name }, { signal }));
    if (chain !== undefined) return chain;
    if (pauseMs === maxPollMs) log.debug('waiting for the certificate to be approved', { request: name });
    await clock.sleep(pauseMs, signal);
  }
}
