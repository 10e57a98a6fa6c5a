import { BoundedMap, type Clock, type Counter, TokenBucket, hasCode, messageOf } from '@selvedge/kit';
import {
  type BodyReader,
  type WholeAnswer,
  createBodyReader,
  createByteShares,
  textAnswer,
} from '@selvedge/kit/serve';
import type { DelegatedAccess } from '@selvedge/kube';
import { nodeOfUser } from '../../edge-nodes/index.ts';
import { type Asked, type Handler, readText, refusalOf } from '../../serving/index.ts';
import { membersOf } from '../caches.ts';
import type { Term } from '../term.ts';
import { type Report, parseReports, whyNot } from './report.ts';

export interface WitnessOptions {
  /** For how long what was seen counts, in milliseconds. */
  readonly validMs: number;
}

export interface WitnessDeps {
  readonly access: Pick<DelegatedAccess, 'authenticate'>;
  readonly isBanned: (node: string) => boolean;
  /** While this server leads. */
  readonly term: () => Term | undefined;
  readonly clock: Clock;
  /** `outcome`: `heard`, `refused`. */
  readonly testimonies: Counter;
}

/** Where nodes say what they see of each other. */
export const witnessPath = '/autonomy/v1alpha1/reports';

/** A thousand reports of long names. */
const limits = { maxBodyBytes: 384 * 1024, bodyMs: 10_000 };
const shares = {
  what: 'reports',
  maxBytes: 16 * limits.maxBodyBytes,
  maxBytesEach: limits.maxBodyBytes,
  reservedBytes: 0,
};
const pace = { burst: 20, perSecond: 1 };
const maxWitnesses = 16_384;
const nodesGroup = 'system:nodes';

const answer = (status: number, message: string): WholeAnswer => textAnswer(status, `${message}\n`);

const refusals = {
  notAllowed: answer(405, 'method not allowed'),
  unauthorized: answer(401, 'Unauthorized'),
  unavailable: answer(503, 'the API server cannot be asked'),
  noNode: answer(403, 'only nodes witness, with their own certificates'),
  banned: answer(403, 'the node is banned'),
  often: answer(429, 'too many reports'),
  notLeading: answer(503, 'this server does not lead: ask the others'),
} as const satisfies Record<string, WholeAnswer>;

class Witnesses {
  readonly #options: WitnessOptions;
  readonly #deps: WitnessDeps;
  readonly #bodies: BodyReader;
  readonly #paces = new BoundedMap<string, TokenBucket>({ capacity: maxWitnesses });

  constructor(options: WitnessOptions, deps: WitnessDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#bodies = createBodyReader(limits, { ...deps, shares: createByteShares(shares) });
  }

  async handle(asked: Asked): Promise<WholeAnswer> {
    if (asked.request.method !== 'POST') return refusals.notAllowed;
    const witness = await this.#identify(asked);
    if (typeof witness === 'object') return witness;
    if (this.#deps.isBanned(witness)) return refusals.banned;
    if (!this.#paceOf(witness).take()) return refusals.often;
    const term = this.#deps.term();
    if (term === undefined) return refusals.notLeading;
    try {
      return this.#hear(term, witness, parseReports(await readText(asked, this.#bodies)));
    } catch (error) {
      asked.signal.throwIfAborted();
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal.status === 400 ? answer(400, messageOf(error)) : refusal;
    }
  }

  /** The node that asks, or why nobody is heard. */
  async #identify(asked: Asked): Promise<string | WholeAnswer> {
    const { signal, link } = asked;
    // About a certificate the API server is not asked: strangers make no work for it here.
    const credential = { certificate: link.certificate, bearerToken: undefined };
    try {
      const { username, groups } = await this.#deps.access.authenticate(credential, signal);
      const node = nodeOfUser(username);
      return node === undefined || !groups.includes(nodesGroup) ? refusals.noNode : node;
    } catch (error) {
      signal.throwIfAborted();
      return hasCode(error, 'Unauthenticated') ? refusals.unauthorized : refusals.unavailable;
    }
  }

  #paceOf(witness: string): TokenBucket {
    const bucket = this.#paces.get(witness) ?? new TokenBucket(pace, this.#deps.clock);
    this.#paces.set(witness, bucket);
    return bucket;
  }

  #hear(term: Term, witness: string, reports: readonly Report[]): WholeAnswer {
    const { validMs } = this.#options;
    const standing = { witness, members: new Set(membersOf(term.judge.unit(witness))), validMs };
    const refused: { readonly node: string; readonly why: string }[] = [];
    for (const report of reports) {
      const { node, alive, ageSeconds } = report;
      const why = whyNot(report, standing);
      this.#deps.testimonies.add({ outcome: why === undefined ? 'heard' : 'refused' });
      if (why === undefined) {
        term.testimonies.add({ subject: node, witness, alive, ageMs: ageSeconds * 1_000 });
        if (!term.judge.isConnected(node)) term.enqueue(node);
      } else refused.push({ node, why });
    }
    const body = JSON.stringify({ heard: reports.length - refused.length, refused });
    return textAnswer(200, `${body}\n`, 'application/json');
  }
}

/**
 * Hears of nodes what they see of other members of their unit: a POST of reports to `witnessPath`. Who says it is in the
 * client certificate, who belongs together in `EdgeUnit.status`. What does not count is named in the answer; 503 from a
 * server that does not lead.
 */
export function createWitness(options: WitnessOptions, deps: WitnessDeps): Handler {
  const witnesses = new Witnesses(options, deps);
  return (asked) => witnesses.handle(asked);
}
