import { readFile } from 'node:fs/promises';
import {
  type Clock,
  type Listeners,
  type Logger,
  type MetricsRegistry,
  type Service,
  createListeners,
  createPoke,
  createTaskGroup,
  limitRepeats,
  writeFileAtomic,
} from '@selvedge/kit';
import { type Authority, newAuthority, planAuthorities, signingAuthority } from './authorities.ts';
import { createAuthorityFile } from './authority-file.ts';
import { type FixedNames, servedNames } from './names.ts';
import { type Serving, isCurrent, issueServing } from './serving.ts';

export interface HubPkiOptions extends FixedNames {
  /** The authorities with their keys, mode 0600. */
  readonly authorityPath: string;
  /** The bundle, for kubeconfigs. Written as a whole, when it changed, before the hub serves with what it says. */
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
  /** Each of them, PEM, the newest first. */
  readonly authorities: readonly string[];
  /** The one that signs now, PEM: whoever trusts it trusts the hub. Undefined before the start. */
  readonly signer: string | undefined;
  /** Undefined before the start. */
  readonly serving: Pick<Serving, 'certificate' | 'key'> | undefined;
  /** The addresses under which pods know the API server, from now on. */
  setClusterIPs(addresses: readonly string[]): void;
  /** Called after `caBundle` or `serving` changed. */
  onChange(changed: () => void): Disposable;
}

/** The wall clock may be set while we wait: it is looked at again this often. */
const lookEveryMs = 60_000;
const repeatWindowMs = 3_600_000;

class NodePki implements HubPki {
  readonly name = 'hub certificates';
  readonly #options: HubPkiOptions;
  readonly #deps: HubPkiDeps;
  readonly #log: Logger;
  readonly #file;
  readonly #tasks;
  readonly #poke;
  readonly #changed: Listeners<void>;
  #clusterIPs: readonly string[] = [];
  #authorities: readonly Authority[] = [];
  #serving: Serving | undefined;
  #bundle = '';
  /** What the file of the bundle says. */
  #published: string | undefined;

  constructor(options: HubPkiOptions, deps: HubPkiDeps) {
    const { clock, log, metrics } = deps;
    this.#options = options;
    this.#deps = deps;
    this.#log = limitRepeats({ windowMs: repeatWindowMs }, deps);
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

  get authorities(): readonly string[] {
    return this.#authorities.map(({ certificate }) => certificate);
  }

  get signer(): string | undefined {
    return this.#serving?.issuer.certificate;
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
    this.#published = await readFile(this.#options.bundlePath, 'utf8').catch(() => undefined);
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

  /** First the authorities are on disk, then the bundle is, if it can, then the hub serves with what they sign. */
  async #renew(): Promise<void> {
    const bundle = await this.#renewAuthorities();
    const bundled = bundle !== this.#bundle;
    this.#bundle = bundle;
    await this.#publish();
    const served = this.#renewServing();
    if (bundled || served) this.#changed.tell();
  }

  /** A disk that takes nothing keeps nobody from what is there: it is tried again at the next look. */
  async #publish(): Promise<void> {
    const { bundlePath } = this.#options;
    if (this.#bundle === this.#published) return;
    try {
      await writeFileAtomic(bundlePath, this.#bundle);
      this.#published = this.#bundle;
    } catch (error) {
      this.#log.error('the bundle of the hub was not written', { path: bundlePath, error });
    }
  }

  async #renewAuthorities(): Promise<string> {
    const { clock } = this.#deps;
    const { keep, succeed } = planAuthorities(this.#authorities, clock.now());
    if (succeed || keep.length !== this.#authorities.length) {
      const made = succeed ? [newAuthority(this.#options.nodeName, clock.now())] : [];
      await this.#replace([...made, ...keep]);
    }
    return this.authorities.join('');
  }

  /** Only without any authority it matters at once that the disk takes none. */
  async #replace(next: readonly Authority[]): Promise<void> {
    try {
      await this.#file.save(next);
    } catch (error) {
      if (this.#authorities.length === 0) throw error;
      this.#log.error('hub certificate authorities not changed', { error });
      return;
    }
    this.#authorities = next;
    this.#log.info('hub certificate authorities changed', { authorities: next.length });
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
