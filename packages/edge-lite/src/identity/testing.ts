import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  BasicConstraintsExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import { endingAtOnce } from '@selvedge/kit/testing';
import { certificatesOf } from '@selvedge/kit/x509';
import {
  type BootstrapToken,
  type CredentialSource,
  type KubeObject,
  type ObjectRef,
  type Resource,
  clusterInfoSignatureKey,
  pinOf,
  signWithToken,
} from '@selvedge/kube';
import type { CertificateSigningRequest, Node } from '@selvedge/kube/types';
import type { IdentityClient } from './join.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3_600_000;

/** A certificate authority in memory. */
export interface TestAuthority {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  readonly pin: string;
  /** Signs a request for the given time; PEM. */
  sign(csrPem: string, validity: { readonly fromMs: number; readonly toMs: number }): Promise<string>;
}

export async function createTestAuthority(clock: Pick<Clock, 'now'>): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test',
    notBefore: new Date(clock.now() - hourMs),
    notAfter: new Date(clock.now() + 1_000_000 * hourMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const certificate = `${root.toString('pem')}\n`;
  const [parsed] = certificatesOf(certificate);
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate,
    key: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    pin: parsed === undefined ? '' : pinOf(parsed),
    async sign(csrPem, { fromMs, toMs }) {
      const request = new Pkcs10CertificateRequest(csrPem);
      if (!(await request.verify())) throw new TypeError('the request is not signed by its key');
      const issued = await X509CertificateGenerator.create({
        serialNumber: '02',
        subject: request.subject,
        issuer: root.subject,
        notBefore: new Date(fromMs),
        notAfter: new Date(toMs),
        signingAlgorithm: algorithm,
        publicKey: request.publicKey,
        signingKey: keys.privateKey,
        extensions: request.extensions,
      });
      return `${issued.toString('pem')}\n`;
    },
  };
}

/** kube-public/cluster-info of a cluster with this CA, signed for one token. */
export function clusterInfoOf(ca: string, token: BootstrapToken): unknown {
  const cluster = { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const kubeconfig = JSON.stringify({ kind: 'Config', clusters: [{ name: '', cluster }] });
  return {
    kind: 'ConfigMap',
    data: { kubeconfig, [clusterInfoSignatureKey(token.id)]: signWithToken(kubeconfig, token) },
  };
}

/** An HTTPS server with a certificate of its own that answers every GET with what `body` says at that time. */
export async function serveOverTls(
  authority: TestAuthority,
  body: () => unknown,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer({ cert: authority.certificate, key: authority.key }, (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body()));
  });
  const end = endingAtOnce(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: end,
  };
}

const missing = (what: string): SelvedgeError => new SelvedgeError(`${what} not found`, { code: 'NotFound' });

/** The certificates API in memory, with the controllers that approve and sign. */
export class TestCertificates {
  readonly requests = new Map<string, CertificateSigningRequest>();
  /** Thrown by the next calls, one each. */
  readonly failures: SelvedgeError[] = [];
  readonly users: string[] = [];
  /** What becomes of a new request. */
  policy: 'issue' | 'deny' | 'wait' = 'issue';
  lifetimeMs = hourMs;
  node: Node | undefined;
  open = 0;
  readonly #authority: TestAuthority;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(authority: TestAuthority, clock: Pick<Clock, 'now'>) {
    this.#authority = authority;
    this.#clock = clock;
  }

  readonly connect = (credentials: CredentialSource): IdentityClient => {
    this.open += 1;
    const before = async (signal: AbortSignal): Promise<void> => {
      const { bearerToken, clientCertificate } = await credentials(signal);
      this.users.push(bearerToken ?? (clientCertificate === undefined ? 'nobody' : 'node'));
      const failure = this.failures.shift();
      if (failure !== undefined) throw failure;
    };
    const get = async <T extends KubeObject>(
      resource: Resource<T>,
      { name }: ObjectRef,
      { signal }: { readonly signal: AbortSignal },
    ): Promise<T> => {
      await before(signal);
      const found: KubeObject | undefined = resource.kind === 'Node' ? this.node : this.requests.get(name);
      if (found === undefined) throw missing(name);
      return found as T;
    };
    const create = async <T extends KubeObject>(
      _resource: Resource<T>,
      object: T,
      { signal }: { readonly signal: AbortSignal },
    ): Promise<T> => {
      await before(signal);
      await this.#accept(object as unknown as CertificateSigningRequest);
      return object;
    };
    return {
      get,
      create,
      close: async () => {
        this.open -= 1;
      },
    };
  };

  /** Approves and signs what waits. */
  async issueAll(): Promise<void> {
    for (const [name, request] of this.requests) {
      if (request.status?.certificate === undefined) this.requests.set(name, await this.#issued(request));
    }
  }

  async #accept(request: CertificateSigningRequest): Promise<void> {
    const name = request.metadata.name ?? '';
    if (this.requests.has(name)) throw new SelvedgeError(`${name} exists`, { code: 'AlreadyExists' });
    const denied = { type: 'Denied', status: 'True', reason: 'Policy', message: 'not here' };
    if (this.policy === 'issue') this.requests.set(name, await this.#issued(request));
    else
      this.requests.set(
        name,
        this.policy === 'deny' ? { ...request, status: { conditions: [denied] } } : request,
      );
  }

  async #issued(request: CertificateSigningRequest): Promise<CertificateSigningRequest> {
    const csr = Buffer.from(request.spec.request, 'base64').toString();
    const now = this.#clock.now();
    const chain = await this.#authority.sign(csr, { fromMs: now, toMs: now + this.lifetimeMs });
    return { ...request, status: { certificate: Buffer.from(chain).toString('base64') } };
  }
}
