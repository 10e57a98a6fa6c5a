import {
  createTaskGroup,
  hasCode,
  scoped,
  withDeadline,
  type Clock,
  type Logger,
  type Scope,
} from '@selvedge/kit';
import type { ObjectRef } from '../../pods/index.ts';
import type { Upstream } from '../upstream/types.ts';
import type { Membership } from './membership.ts';
import { heldAs } from './words.ts';

export interface FollowedOptions {
  /** Objects followed at a time; a further one stays unknown. */
  readonly maxFollowed: number;
  /** How long what is on disk is held back while upstream is asked, in milliseconds. */
  readonly settleMs: number;
}

export interface FollowedDeps {
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  readonly membershipOf: (ref: ObjectRef) => Membership;
  /** Told when an object may be read that was held back until then. */
  readonly settled: (ref: ObjectRef) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Follow {
  followers: number;
  /** Nothing was heard of it yet, and it is too early to say that nothing will be. */
  settling: boolean;
  readonly membership: Membership;
  /** Of the membership. */
  readonly scope: Scope;
}

/** `v1/configmaps default/web` */
const keyOf = ({ resource, namespace = '', name }: ObjectRef): string =>
  `${heldAs(resource)} ${namespace}/${name}`;

/** Single config maps and secrets, as many as are in use. What nobody follows any more expires with its coverage. */
export class Followed {
  readonly #options: FollowedOptions;
  readonly #deps: FollowedDeps;
  readonly #follows = new Map<string, Follow>();
  readonly #tasks;

  constructor(options: FollowedOptions, deps: FollowedDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: 'followed objects' },
      { onFailure: (error, task) => deps.log.error('object not followed', { object: task, error }) },
    );
  }

  get size(): number {
    return this.#follows.size;
  }

  follow(ref: ObjectRef): Disposable {
    const key = keyOf(ref);
    const follow = this.#follows.get(key) ?? this.#open(ref, key);
    if (follow !== undefined) follow.followers += 1;
    let open = follow !== undefined;
    return {
      [Symbol.dispose]: () => {
        if (open && follow !== undefined) this.#leave(key, follow);
        open = false;
      },
    };
  }

  /**
   * True from the first follow until upstream has said what the object is now, or proves to be out of reach: a new pod
   * must not start with what an earlier one left on disk, and must start with it while the cloud is away.
   */
  settling(ref: ObjectRef): boolean {
    return this.#follows.get(keyOf(ref))?.settling === true;
  }

  async stop(): Promise<void> {
    this.#follows.clear();
    await this.#tasks.stop();
  }

  #open(ref: ObjectRef, key: string): Follow | undefined {
    if (this.#tasks.signal.aborted) return undefined;
    const { maxFollowed } = this.#options;
    if (this.#follows.size >= maxFollowed) {
      this.#deps.log.error('too many objects are followed', { object: key, max: maxFollowed });
      return undefined;
    }
    const scope = scoped(this.#tasks.signal);
    const follow = { followers: 0, settling: true, membership: this.#deps.membershipOf(ref), scope };
    this.#follows.set(key, follow);
    this.#tasks.run(key, () => this.#stay(follow));
    this.#tasks.run(`first answer about ${key}`, () => this.#settle(ref, follow));
    return follow;
  }

  async #stay({ membership, scope }: Follow): Promise<void> {
    try {
      await membership.run(scope.signal);
    } catch (error) {
      if (!scope.signal.aborted) throw error;
    }
  }

  async #settle(ref: ObjectRef, follow: Follow): Promise<void> {
    const { clock, settled, upstream } = this.#deps;
    using reachable = scoped(follow.scope.signal);
    const look = (): void => {
      if (upstream.connectivity.kind === 'offline') reachable.abort();
    };
    using offline = upstream.onConnectivity(look);
    look();
    const { signal } = reachable;
    const wait = { what: 'the first answer', timeoutMs: this.#options.settleMs, signal };
    try {
      await withDeadline(wait, clock, async (inner) => {
        const coverage = await follow.membership.coverage(inner);
        await coverage.whenLive(inner);
      });
    } catch (error) {
      if (!signal.aborted && !hasCode(error, 'DeadlineExceeded')) throw error;
    }
    follow.settling = false;
    if (this.#follows.get(keyOf(ref)) === follow) settled(ref);
  }

  #leave(key: string, follow: Follow): void {
    follow.followers -= 1;
    if (follow.followers > 0 || this.#follows.get(key) !== follow) return;
    this.#follows.delete(key);
    follow.scope.abort();
  }
}
