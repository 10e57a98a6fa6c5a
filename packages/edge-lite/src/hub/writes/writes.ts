import { type Counter, type MetricsRegistry, type SelvedgeError, explain, hasCode } from '@selvedge/kit';
import { forbidden, statusError, unavailable } from '../answers/index.ts';
import { impersonates } from '../forward/index.ts';
import type { NodeLease } from '../leases/index.ts';
import type { Replica } from '../replica/types.ts';
import type { HubHandler, HubRequest, HubResponse } from '../request.ts';
import { type RequestInfo, groupResource, parseRequestInfo } from '../request-info/index.ts';
import type { Upstream } from '../upstream/types.ts';
import { type RowsDeps, createRows } from './rows.ts';
import { type Row, type Write, writeOf } from './write.ts';

export interface WritesOptions {
  readonly nodeName: string;
}

export interface WritesDeps extends RowsDeps {
  readonly replica: Pick<Replica, 'base' | 'overlay' | 'putOverlay' | 'reader'>;
  readonly forward: HubHandler;
  readonly upstream: Pick<Upstream, 'connectivity'>;
  readonly lease: Pick<NodeLease, 'handle' | 'owns'>;
  /** A status waits to be sent on. */
  readonly replaySoon: () => void;
  readonly metrics: MetricsRegistry;
}

function nameOf(info: RequestInfo): string {
  if (info.kind === 'nonResource') return `${info.verb} ${info.path}`;
  const { verb, subresource, namespace, name } = info;
  const what = [groupResource(info), subresource].filter((word) => word !== '').join('/');
  const object = name === '' ? '' : ` ${JSON.stringify(name)}`;
  return `${verb} ${what}${object}${namespace === '' ? '' : ` in the namespace ${JSON.stringify(namespace)}`}`;
}

/** Clients that are told to come back soon do so ten times: a full disk is not emptied by that. Source: RFC 4918, 11.5. */
const withoutRoom = (error: unknown): unknown =>
  hasCode(error, 'ResourceExhausted')
    ? statusError('ResourceExhausted', explain(error), { status: 507, reason: 'InsufficientStorage' })
    : error;

const dryRun = ({ query }: HubRequest): boolean => query.has('dryRun');
const operatorsRead = 'operators may read while the node is autonomous, and change nothing';

interface Asked {
  readonly request: HubRequest;
  readonly info: RequestInfo;
  readonly write: Write | undefined;
  readonly row: Row | undefined;
}

class Writes {
  readonly #options: WritesOptions;
  readonly #deps: WritesDeps;
  readonly #rows: readonly Row[];
  readonly #answers: Counter;

  constructor(options: WritesOptions, deps: WritesDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#rows = createRows(options, deps);
    this.#answers = deps.metrics.counter({
      name: 'selvedge_hub_offline_writes_total',
      help: 'Writes answered here while the API server was away, by row and outcome (accepted, refused).',
    });
  }

  handle: HubHandler = async (request) => {
    if (this.#deps.lease.owns(request)) return this.#deps.lease.handle(request);
    const info = parseRequestInfo(request.method, request.path, request.query);
    const write = info.kind === 'resource' ? writeOf(request, info) : undefined;
    const row = write === undefined ? undefined : this.#rows.find((one) => one.accepts(write));
    const asked: Asked = { request, info, write, row };
    if (this.#isOverlaid(asked)) {
      const response = await this.#local(asked);
      this.#deps.replaySoon();
      return response;
    }
    return this.#online(asked);
  };

  /** Until what was said before has reached upstream, what is said now must not overtake it. */
  #isOverlaid({ request, write, row }: Asked): boolean {
    if (write === undefined || row?.laysOver !== true || dryRun(request)) return false;
    const { replica } = this.#deps;
    const overlay = replica.overlay(write.resource, write.at);
    return overlay !== undefined && overlay.uid === replica.base(write.resource, write.at)?.metadata.uid;
  }

  #spare({ request, write, row }: Asked): HubResponse | undefined {
    if (write === undefined || dryRun(request) || impersonates(request.headers)) return undefined;
    return row?.spare?.(write);
  }

  async #online(asked: Asked): Promise<HubResponse> {
    const { upstream, forward } = this.#deps;
    if (upstream.connectivity.kind === 'offline') return this.#local(asked);
    const spared = this.#spare(asked);
    if (spared !== undefined) return spared;
    try {
      const response = await forward(asked.request);
      if (asked.write !== undefined) asked.row?.heard?.(asked.write, response);
      return response;
    } catch (error) {
      const away = hasCode(error, 'Unavailable', 'DeadlineExceeded');
      if (!away || this.#isOnline()) throw error;
    }
    return this.#local(asked);
  }

  /** Asked anew: it may have changed while we waited. */
  #isOnline(): boolean {
    return this.#deps.upstream.connectivity.kind === 'online';
  }

  async #local({ request, info, write, row }: Asked): Promise<HubResponse> {
    if (request.caller.kind === 'operator') throw forbidden(request.caller.user, info, operatorsRead);
    const here =
      write !== undefined && row !== undefined && !dryRun(request) && !impersonates(request.headers);
    const labels = { row: here ? row.name : 'none' };
    try {
      const response = here ? await row.answer(write) : undefined;
      if (response === undefined) throw this.#unavailable(info);
      this.#answers.add({ ...labels, outcome: 'accepted' });
      return response;
    } catch (error) {
      this.#answers.add({ ...labels, outcome: 'refused' });
      throw withoutRoom(error);
    }
  }

  #unavailable(info: RequestInfo): SelvedgeError {
    const { sinceMs } = this.#deps.upstream.connectivity;
    return unavailable({ nodeName: this.#options.nodeName, sinceMs }, nameOf(info));
  }
}

/**
 * Answers whatever is no get, list or watch. While the cloud is there it goes through; while it is away the table of
 * `rows.ts` answers, and the rest is refused with 503. Statuses that wait to be sent on are overtaken by none.
 */
export function createWrites(options: WritesOptions, deps: WritesDeps): HubHandler {
  return new Writes(options, deps).handle;
}
