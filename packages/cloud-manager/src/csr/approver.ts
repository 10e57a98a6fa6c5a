import {
  BoundedMap,
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
  createSubscriptions,
  hasCode,
  messageOf,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  createController,
  createIndexedStore,
  createReflector,
  keyOf,
  resources,
} from '@selvedge/kube';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  Node,
} from '@selvedge/kube/types';
import { type Bans, nodeOfUser } from '../edge-nodes/index.ts';
import { type CsrDecision, decideCsr } from './decide.ts';
import { parseRequest } from './request.ts';
import type { IsReserved } from './reserved.ts';

export interface CsrApproverDeps {
  readonly client: KubeClient;
  readonly nodes: ObjectReader<Node>;
  readonly bans: Bans;
  /** Read anew for each request that would else be approved. */
  readonly reserved: (signal: AbortSignal) => Promise<IsReserved>;
  /** See `kubeletProxy.domain`. */
  readonly domain: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** `decision`: `approve`, `deny`, `leave`. */
  readonly decisions: Counter;
  readonly kubeMetrics: KubeMetrics;
}

type Request = CertificateSigningRequest;

/** Requests whose outcome has been told. */
const maxTold = 4_096;
/** A Node may say its addresses after it has asked. */
const resyncMs = 60_000;

/** Registers the metric; once per registry. */
export const createCsrMetrics = (metrics: MetricsRegistry): Counter =>
  metrics.counter({
    name: 'selvedge_csr_decisions_total',
    help: 'Certificate requests of nodes by what became of them here.',
  });

const pemOf = (request: string): string => Buffer.from(request, 'base64').toString('latin1');

const isPending = (request: Request): boolean =>
  (request.status?.conditions ?? []).every(({ type }) => type !== 'Approved' && type !== 'Denied') &&
  (request.status?.certificate ?? '') === '';

const conditions = {
  approve: {
    type: 'Approved',
    status: 'True',
    reason: 'SelvedgeKubeletServing',
    message: 'Requester, subject, usages and names are those of the Node.',
  },
  deny: {
    type: 'Denied',
    status: 'True',
    reason: 'SelvedgeNodeBanned',
    message: 'The node is banned by its EdgeNode.',
  },
} as const satisfies Record<string, CertificateSigningRequestCondition>;

class Approver {
  readonly #deps: CsrApproverDeps;
  readonly #told = new BoundedMap<string, CsrDecision['kind']>({ capacity: maxTold });

  constructor(deps: CsrApproverDeps) {
    this.#deps = deps;
  }

  async reconcile(request: Request | undefined, signal: AbortSignal): Promise<void> {
    if (request === undefined || !isPending(request)) return;
    const decision = await this.#decide(request, signal);
    if (decision.kind === 'leave') {
      this.#tell(request, decision);
      return;
    }
    const status = {
      ...request.status,
      conditions: [...(request.status?.conditions ?? []), conditions[decision.kind]],
    };
    const { client } = this.#deps;
    const options = { subresource: 'approval', signal };
    await client.replace(resources.certificateSigningRequests, { ...request, status }, options);
    this.#tell(request, decision);
  }

  async #decide({ spec }: Request, signal: AbortSignal): Promise<CsrDecision> {
    const decision = this.#decideWith(spec, () => false);
    if (decision.kind !== 'approve') return decision;
    return this.#decideWith(spec, await this.#deps.reserved(signal));
  }

  #decideWith(spec: Request['spec'], isReserved: IsReserved): CsrDecision {
    const { nodes, bans, domain } = this.#deps;
    const name = nodeOfUser(spec.username ?? '') ?? '';
    const requester = { node: nodes.get(name), isBanned: bans.isBanned(name), isReserved, domain };
    try {
      return decideCsr(spec, () => parseRequest(pemOf(spec.request)), requester);
    } catch (error) {
      if (hasCode(error, 'Invalid')) return { kind: 'leave', why: messageOf(error) };
      throw error;
    }
  }

  /** Once for each request and outcome, however often it is looked at. */
  #tell({ metadata, spec }: Request, decision: CsrDecision): void {
    const { log, decisions } = this.#deps;
    const uid = metadata.uid ?? '';
    if (this.#told.get(uid) === decision.kind) return;
    this.#told.set(uid, decision.kind);
    decisions.add({ decision: decision.kind });
    const fields = { request: metadata.name, requester: spec.username, signer: spec.signerName };
    if (decision.kind === 'approve') log.info('certificate request approved', fields);
    else if (decision.kind === 'deny') log.warn('certificate request denied, the node is banned', fields);
    else if (nodeOfUser(spec.username ?? '') === undefined)
      log.debug('certificate request left alone', fields);
    else log.info('certificate request left alone', { ...fields, why: decision.why });
  }
}

/** Decides about certificate requests of nodes while it runs; on one server at a time. */
export function createCsrApprover(deps: CsrApproverDeps): Service {
  const { client, clock, random, log, bans, nodes, kubeMetrics: metrics } = deps;
  const store = createIndexedStore<Request>({
    indexers: { node: ({ spec }) => [nodeOfUser(spec.username ?? '') ?? ''] },
  });
  const resource = resources.certificateSigningRequests;
  const reflector = createReflector({ resource }, { client, store, clock, random, log, metrics });
  const approver = new Approver(deps);
  const controller = createController(
    { name: 'csr', resyncMs, backoff: { initialMs: 200, maxMs: 30_000 } },
    {
      reconcile: (key, signal) => approver.reconcile(store.get(key), signal),
      keys: () => store.keys(),
      clock,
      random,
      log,
      metrics,
    },
  );
  const enqueueOf = (node: string): void => {
    for (const request of store.byIndex('node', node)) controller.enqueue(keyOf(request));
  };
  const following = createSubscriptions({ name: 'csr subscriptions' }, () => [
    bans.onBan(enqueueOf),
    store.subscribe(({ object }) => void controller.enqueue(keyOf(object))),
    nodes.subscribe(({ object }) => enqueueOf(object.metadata.name ?? '')),
  ]);
  return createServiceGroup({ name: 'csr approver', services: [controller, following, reflector] }, { log });
}
