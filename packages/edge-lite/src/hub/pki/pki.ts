import {
  type Clock,
  type Listeners,
  type Logger,
  type MetricsRegistry,
  type Service,
  createListeners,
  createPoke,
  createTaskGroup,
  writeFileAtomic,
} from '@selvedge/kit';
import { type Authority, newAuthority, planAuthorities, signingAuthority } from './authorities.ts';
import { createAuthorityFile } from './authority-file.ts';
import { type FixedNames, servedNames } from './names.ts';
import { type Serving, isCurrent, issueServing } from './serving.ts';

export interface HubPkiOptions extends FixedNames {
  /** The authorities with their keys, mode 0600. */
  readonly authorityPath: string;
  /** The bundle, for kubeconfigs. Written as a whole before the hub serves with what it says. */
  readonly bundlePath: string;
}

export interface HubPkiDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/**
 * The certificates of the hub: an authority of this node alone (EC P-256, 10 years, its successor published two years
 * before the end) and what the hub serves with (90 days, replaced after 60, and when its names change). Both are valid
 * from 1970 on, so that a clock that was not set breaks nothing.
 */
export interface HubPki extends Service {
  /** Whom clients of this hub must trust, the newest first; PEM. Empty before the start. */
  readonly caBundle: string;
  /** When the authority that signs now was made: who has read the bundle since then trusts the hub. */
  readonly trustedSinceMs: number;
  /** Undefined before the start. */
  readonly serving: Pick<Serving, 'certificate' | 'key'> | undefined;
  /** The addresses under which pods know the API server, from now on. */
  setClusterIPs(addresses: readonly string[]): void;
  /** Called after `caBundle` or `serving` changed. */
  onChange(changed: () => void): Disposable;
}

/** The wall clock may be set while we wait: it is looked at again this often. */
const lookEveryMs = 60_000;

class NodePki implements HubPki {
  readonly name = 'hub certificates';
  readonly #options: HubPkiOptions;
  readonly #deps: HubPkiDeps;
  readonly #file;
  readonly #tasks;
  readonly #poke;
  readonly #changed: Listeners<void>;
  #clusterIPs: readonly string[] = [];
  #authorities: readonly Authority[] = [];
  #serving: Serving | undefined;
  #bundle = '';

  constructor(options: HubPkiOptions, deps: HubPkiDeps) {
    const { clock, log, metrics } = deps;
    this.#options = options;
    this.#deps = deps;
    this.#file = createAuthorityFile(options.authorityPath, deps);
    this.#poke = createPoke(clock);
    this.#changed = createListeners(log);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => log.error('hub certificate task failed', { task, error }) },
    );
    metrics.sampled(
      {
        name: 'selvedge_hub_certificate_expiry_seconds',
        help: 'When the serving certificate ends, Unix time.',
      },
      () => (this.#serving?.notAfterMs ?? 0) / 1_000,
    );
  }

  get caBundle(): string {
    return this.#bundle;
  }

  get trustedSinceMs(): number {
    return this.#serving?.issuer.madeMs ?? this.#deps.clock.now();
  }

  get serving(): Serving | undefined {
    return this.#serving;
  }

  setClusterIPs(addresses: readonly string[]): void {
    this.#clusterIPs = [...addresses];
    this.#poke.poke();
  }

  onChange(changed: () => void): Disposable {
    return this.#changed.add(changed);
  }

  async start(): Promise<void> {
    this.#authorities = await this.#file.load();
    await this.#renew();
    this.#tasks.run('renewal', (signal) => this.#keepCurrent(signal));
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  async #keepCurrent(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#poke.wait(lookEveryMs, signal);
      try {
        await this.#renew();
      } catch (error) {
        this.#deps.log.error('hub certificates not renewed', { error });
      }
    }
  }

  /** First the authorities are on disk, then the bundle is, then the hub serves with what they sign. */
  async #renew(): Promise<void> {
    const bundle = await this.#renewAuthorities();
    const bundled = bundle !== this.#bundle;
    if (bundled) await writeFileAtomic(this.#options.bundlePath, bundle);
    this.#bundle = bundle;
    const served = this.#renewServing();
    if (bundled || served) this.#changed.tell();
  }

  async #renewAuthorities(): Promise<string> {
    const { clock, log } = this.#deps;
    const { keep, succeed } = planAuthorities(this.#authorities, clock.now());
    if (succeed || keep.length !== this.#authorities.length) {
      const made = succeed ? [newAuthority(this.#options.nodeName, clock.now())] : [];
      const next = [...made, ...keep];
      await this.#file.save(next);
      this.#authorities = next;
      log.info('hub certificate authorities changed', { made: made.length, authorities: next.length });
    }
    return this.#authorities.map(({ certificate }) => certificate).join('');
  }

  #renewServing(): boolean {
    const { clock, log } = this.#deps;
    const nowMs = clock.now();
    const issuer = signingAuthority(this.#authorities, nowMs);
    const names = servedNames(this.#options, this.#clusterIPs);
    if (issuer === undefined) return false;
    if (this.#serving !== undefined && isCurrent(this.#serving, { issuer, names, nowMs })) return false;
    this.#serving = issueServing(issuer, names, nowMs);
    log.info('hub certificate issued', { names, notAfter: new Date(this.#serving.notAfterMs).toISOString() });
    return true;
  }
}

/** Does no I/O before its start. */
export function createHubPki(options: HubPkiOptions, deps: HubPkiDeps): HubPki {
  return new NodePki(options, deps);
}
