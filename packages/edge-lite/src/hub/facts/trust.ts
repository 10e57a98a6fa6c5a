import { createHash } from 'node:crypto';
import { type Clock, type Logger, type Service, createPoke, createTaskGroup } from '@selvedge/kit';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { PodIdentity } from '../request.ts';
import type { LocalPod, LocalPods } from './local-pods.ts';
import { plainAddress } from './own-addresses.ts';

export interface TrustOptions {
  /** Who starts the pods of this node reads the replica, in this process. */
  readonly readsReplica: boolean;
}

export interface TrustDeps {
  readonly pki: {
    /** PEM. */
    readonly authorities: readonly string[];
    readonly signer: string | undefined;
    onChange(changed: () => void): Disposable;
  };
  readonly pods: Pick<LocalPods, 'at' | 'complete' | 'values'>;
  /** The addresses of the machine's interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  readonly runtime: RuntimeRepository;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Which pods of this node know the hub's authority. Programs read `kube-root-ca.crt` when they start, so nobody does who ran
 * before the kubelet had it from the hub. Which containers those are is remembered for each authority; no clock has a say.
 */
export interface Trust extends Service {
  /** The kubelet was given `kube-root-ca.crt`: what it starts from now on trusts the hub. */
  served(): void;
  /**
   * Whether who connects from there may not know the authority. Of what comes from an address of the machine itself nobody
   * can tell which pod sent it: none is trusted to know while one with the host's network may not.
   */
  distrusts(remoteAddress: string): boolean;
  /** The pods that have to start again before they know the authority. */
  readonly waiting: readonly PodIdentity[];
}

/** What ran when an authority was given to the kubelet for the first time. */
interface Beginning {
  /** Their uids. */
  readonly pods: readonly string[];
  /** Which of their containers ran still when their volumes were up to date. Undefined until then. */
  readonly containers?: readonly string[];
}

const kind: RuntimeKind<Beginning> = { name: 'hub-trust' };
/** In which the kubelet brings volumes of running pods up to date: its sync period is a minute and a half at most. */
const refreshMs = 120_000;
/** After the pods were asked for: not so long that new ones run. */
const lookEveryMs = 250;

const idOf = (certificate: string): string => createHash('sha256').update(certificate).digest('base64url');

const runs = ({ alive, containers }: LocalPod): boolean => alive && containers.length > 0;

/** Whether a container of the pod runs since before. */
function isBefore({ uid, containers }: LocalPod, begun: Beginning | undefined): boolean {
  if (begun === undefined) return true;
  if (begun.containers === undefined) return begun.pods.includes(uid);
  const old = begun.containers;
  return containers.some((one) => old.includes(one));
}

class RememberedTrust implements Trust {
  readonly name = 'hub trust';
  readonly #deps: TrustDeps;
  readonly #beginnings = new Map<string, Beginning>();
  readonly #tasks;
  readonly #wanted;
  readonly #begun;
  readonly #subscriptions = new DisposableStack();
  #served: boolean;

  constructor(options: TrustOptions, deps: TrustDeps) {
    this.#deps = deps;
    this.#served = options.readsReplica;
    this.#wanted = createPoke(deps.clock);
    this.#begun = createPoke(deps.clock);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => deps.log.error('trust in the hub is not followed', { error }) },
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { pki, runtime } = this.#deps;
    for (const { key, document } of runtime.list(kind)) this.#beginnings.set(key, document);
    this.#subscriptions.use(pki.onChange(() => this.#wanted.poke()));
    this.#tasks.run('begin', (inner) => this.#beginWhenKnown(inner));
    this.#tasks.run('settle', (inner) => this.#settle(inner));
    this.#wanted.poke();
    this.#begun.poke();
  }

  async stop(): Promise<void> {
    this.#subscriptions.dispose();
    await this.#tasks.stop();
  }

  served(): void {
    this.#served = true;
    if (!this.#begin()) this.#wanted.poke();
  }

  distrusts(remoteAddress: string): boolean {
    const begun = this.#current;
    if (begun === undefined) return true;
    const address = plainAddress(remoteAddress);
    const pod = this.#deps.pods.at(address);
    if (pod !== undefined) return isBefore(pod, begun);
    if (!this.#deps.machineAddresses().includes(address)) return false;
    return this.#waiting.some(({ hostNetwork }) => hostNetwork);
  }

  get waiting(): readonly PodIdentity[] {
    return this.#waiting.map(({ namespace, name, uid }) => ({ namespace, name, uid }));
  }

  get #waiting(): readonly LocalPod[] {
    const begun = this.#current;
    return Array.from(this.#deps.pods.values()).filter(
      (pod) => runs(pod) && pod.readsRootCa && isBefore(pod, begun),
    );
  }

  get #current(): Beginning | undefined {
    const { signer } = this.#deps.pki;
    return signer === undefined ? undefined : this.#beginnings.get(idOf(signer));
  }

  get #fresh(): readonly string[] {
    return this.#deps.pki.authorities.map(idOf).filter((id) => !this.#beginnings.has(id));
  }

  /** False as long as not all pods are known, so that nobody can say who ran before. */
  #begin(): boolean {
    const { pki, pods } = this.#deps;
    const fresh = this.#fresh;
    if (!this.#served || fresh.length === 0) return true;
    if (!pods.complete) return false;
    const running = Array.from(pods.values()).filter(runs);
    for (const id of fresh) this.#put(id, { pods: running.map(({ uid }) => uid) });
    const ids = new Set(pki.authorities.map(idOf));
    for (const id of this.#beginnings.keys()) if (!ids.has(id)) this.#forget(id);
    this.#begun.poke();
    return true;
  }

  async #beginWhenKnown(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#wanted.wait(undefined, signal);
      while (!this.#begin()) await this.#deps.clock.sleep(lookEveryMs, signal);
    }
  }

  async #settle(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#begun.wait(undefined, signal);
      const unsettled = [...this.#beginnings].filter(([, { containers }]) => containers === undefined);
      if (unsettled.length === 0) continue;
      await this.#deps.clock.sleep(refreshMs, signal);
      for (const [id, begun] of unsettled) this.#put(id, { ...begun, containers: this.#containersOf(begun) });
    }
  }

  #containersOf(begun: Beginning): readonly string[] {
    const pods = Array.from(this.#deps.pods.values()).filter(({ uid }) => begun.pods.includes(uid));
    return pods.flatMap(({ containers }) => containers);
  }

  /** What the disk does not take is found out anew after a restart: then more pods count as old than are. */
  #put(id: string, begun: Beginning): void {
    this.#beginnings.set(id, begun);
    try {
      this.#deps.runtime.put(kind, { key: id, document: begun }, { durable: false });
    } catch (error) {
      this.#deps.log.warn('which pods trust the hub was not saved', { error });
    }
  }

  #forget(id: string): void {
    this.#beginnings.delete(id);
    this.#deps.runtime.delete(kind, id);
  }
}

export function createTrust(options: TrustOptions, deps: TrustDeps): Trust {
  return new RememberedTrust(options, deps);
}
