import { type Service, hasCode } from '@selvedge/kit';
import type { Lease } from '@selvedge/kube/types';
import { notFound } from '../answers/index.ts';
import type { DecodeBody, RequestBody } from '../bodies/types.ts';
import { alreadyExists, jsonResponse, modified } from '../forward/index.ts';
import type { ApplyPatchBody } from '../merge/types.ts';
import type { HubHandler, HubRequest, HubResponse } from '../request.ts';
import { type ResourceRequest, heldResource, parseRequestInfo } from '../request-info/index.ts';
import { LeaseMemory } from './lease-memory.ts';
import { type LocalLease, leaseNamespace, shownLease } from './local-lease.ts';
import { LeaseRenewer, type RenewerDeps } from './renewer.ts';

export interface NodeLeaseOptions {
  readonly nodeName: string;
  /**
   * Time between two renewals upstream, in milliseconds; less where the kubelet's lease duration is short, see
   * `renewalIntervalMs`. Default 19,500: half of the usual duration, and just before a silent link would be pinged for the
   * fourth time since the last one.
   */
  readonly intervalMs?: number;
}

export interface NodeLeaseDeps extends RenewerDeps {
  readonly forward: HubHandler;
  readonly decodeBody: DecodeBody;
  readonly applyPatchBody: ApplyPatchBody;
}

/** The own node's Lease, in memory. */
export interface NodeLease extends Service {
  /** Whether a request is for that Lease and of the node's own kubelet. */
  owns(request: HubRequest): boolean;
  /** Answers what it owns: at once when the Lease is known, else as the API server does, or offline as a new one. */
  readonly handle: HubHandler;
}

const resource = 'coordination.k8s.io/v1/leases';
const ownVerbs: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete']);

const bodyOf = ({ headers, body = new Uint8Array() }: HubRequest): RequestBody => ({
  contentType: headers['content-type'],
  bytes: body,
});

class MemoryLease implements NodeLease {
  readonly #nodeName: string;
  readonly #deps: NodeLeaseDeps;
  readonly #memory = new LeaseMemory();
  readonly #renewer: LeaseRenewer;

  constructor({ nodeName, intervalMs = 19_500 }: NodeLeaseOptions, deps: NodeLeaseDeps) {
    this.#nodeName = nodeName;
    this.#deps = deps;
    this.#renewer = new LeaseRenewer({ nodeName, intervalMs }, this.#memory, deps);
  }

  get name(): string {
    return this.#renewer.name;
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#renewer.start(signal);
  }

  stop(): Promise<void> {
    return this.#renewer.stop();
  }

  owns({ method, path, query, caller }: HubRequest): boolean {
    if (caller.kind !== 'node' || query.has('dryRun')) return false;
    const about = parseRequestInfo(method, path, query);
    if (about.kind !== 'resource' || heldResource(about) !== resource || about.subresource !== '')
      return false;
    if (about.namespace !== leaseNamespace) return false;
    return about.verb === 'create' || (about.name === this.#nodeName && ownVerbs.has(about.verb));
  }

  handle: HubHandler = async (request) => {
    const about = parseRequestInfo(request.method, request.path, request.query) as ResourceRequest;
    const { local } = this.#memory;
    if (local === undefined) return this.#first(request, about);
    switch (about.verb) {
      case 'get':
        return jsonResponse(200, shownLease(local));
      case 'create':
        throw alreadyExists({ ...about, name: this.#nodeName });
      case 'delete':
        this.#memory.forget();
        return this.#deps.forward(request);
      default:
        return this.#write(request, about, local);
    }
  };

  /** Nothing is known: the API server answers, or the kubelet makes it anew. */
  async #first(request: HubRequest, about: ResourceRequest): Promise<HubResponse> {
    try {
      const response = await this.#deps.forward(request);
      if (response.status < 300 && response.body instanceof Uint8Array) this.#adopt(about, response.body);
      return response;
    } catch (error) {
      const away = hasCode(error, 'Unavailable', 'DeadlineExceeded');
      if (!away || this.#deps.upstream.connectivity.kind === 'online') throw error;
    }
    const complete = about.verb === 'create' || about.verb === 'update';
    if (!complete) throw notFound({ ...about, name: this.#nodeName });
    const lease = this.#deps.decodeBody(bodyOf(request)) as unknown as Lease;
    const shown = this.#keep(lease, BigInt(this.#deps.clock.now()));
    return jsonResponse(about.verb === 'create' ? 201 : 200, shown);
  }

  #adopt({ verb }: ResourceRequest, body: Uint8Array): void {
    const lease = JSON.parse(Buffer.from(body).toString('utf8')) as Lease;
    if (lease.kind !== 'Lease' || lease.metadata.name !== this.#nodeName) return;
    const renewedMs = verb === 'get' ? undefined : this.#deps.clock.monotonicMs();
    this.#memory.local = { lease, version: BigInt(lease.metadata.resourceVersion ?? '0'), renewedMs };
    this.#memory.doubt();
    if (renewedMs !== undefined) this.#renewer.told();
  }

  #write(request: HubRequest, about: ResourceRequest, local: LocalLease): HubResponse {
    const shown = shownLease(local);
    const body = bodyOf(request);
    const next =
      about.verb === 'patch'
        ? (this.#deps.applyPatchBody(resource, shown, body) as Lease)
        : (this.#deps.decodeBody(body) as unknown as Lease);
    const version = next.metadata.resourceVersion ?? '';
    if (version !== '' && version !== shown.metadata.resourceVersion) throw modified(about);
    const { uid, creationTimestamp, name, namespace } = local.lease.metadata;
    const metadata = { ...next.metadata, uid, creationTimestamp, name, namespace };
    return jsonResponse(200, this.#keep({ ...next, metadata }, local.version + 1n));
  }

  #keep(lease: Lease, version: bigint): Lease {
    const local = { lease, version, renewedMs: this.#deps.clock.monotonicMs() };
    this.#memory.local = local;
    this.#renewer.written();
    return shownLease(local);
  }
}

/**
 * Answers the kubelet's writes of its Lease from memory and renews it upstream once per interval, as long as the kubelet
 * itself renewed it within its duration: a node whose kubelet is dead must not look alive. The same online and offline.
 * Source: kubernetes.io "Leases", node heartbeats.
 */
export function createNodeLease(options: NodeLeaseOptions, deps: NodeLeaseDeps): NodeLease {
  return new MemoryLease(options, deps);
}
