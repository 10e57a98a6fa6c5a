import {
  createPoke,
  jittered,
  messageOf,
  type Clock,
  type Logger,
  type Poke,
  type Random,
  type TaskGroup,
} from '@selvedge/kit';
import type { Volume } from '@selvedge/kube/types';

import type { PodEvents } from '../ports.ts';
import { podRef } from '../spec/index.ts';
import type { Entries, Entry } from './entries.ts';
import type { Serial } from './serial.ts';
import { isLive, usedVolumes, type SetUpVolume } from './set-up.ts';

/** Renewals are never closer together than this, whatever a clock or a token says. */
const minDelayMs = 1000;

export interface RefresherDeps {
  readonly entries: Entries;
  readonly serial: Serial;
  readonly tasks: TaskGroup;
  readonly setUp: (entry: Entry, volume: Volume, signal: AbortSignal) => Promise<SetUpVolume>;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Brings volumes up to date when what they show has changed and when their tokens are due. */
export class Refresher {
  readonly #retryMs: number;
  readonly #deps: RefresherDeps;
  readonly #poke: Poke;

  constructor(options: { readonly retryMs: number }, deps: RefresherDeps) {
    this.#retryMs = options.retryMs;
    this.#deps = deps;
    this.#poke = createPoke(deps.clock);
  }

  /** Not later than that; an earlier time stays. */
  schedule(entry: Entry, dueMs: number): void {
    entry.dueMs = Math.min(entry.dueMs, dueMs);
    this.#poke.poke();
  }

  /** Runs until `signal` aborts. A pod whose token takes long keeps no other waiting. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, entries, tasks } = this.#deps;
    for (;;) {
      const idle = entries.all().filter(({ busy }) => !busy);
      for (const entry of idle.filter(({ dueMs }) => dueMs <= clock.now())) {
        entry.busy = true;
        tasks.run(`refresh of ${entry.uid}`, (stop) => this.#refresh(entry, stop));
      }
      const waiting = idle.filter(({ busy }) => !busy).map(({ dueMs }) => dueMs);
      const nextMs = Math.min(...waiting);
      await this.#poke.wait(nextMs === Infinity ? undefined : Math.max(0, nextMs - clock.now()), signal);
    }
  }

  async #refresh(entry: Entry, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.serial.run(entry.uid, () => this.#refreshVolumes(entry, signal));
    } finally {
      entry.busy = false;
      this.#poke.poke();
    }
  }

  async #refreshVolumes(entry: Entry, signal: AbortSignal): Promise<void> {
    entry.dueMs = Infinity;
    // It was removed meanwhile, or is made anew by whoever asked for it.
    if (this.#deps.entries.get(entry.uid) !== entry || entry.ready === undefined) return;
    for (const volume of usedVolumes(entry.pod).filter(isLive)) {
      const dueMs = await this.#refreshVolume(entry, volume, signal);
      entry.dueMs = Math.min(entry.dueMs, Math.max(dueMs, this.#deps.clock.now() + minDelayMs));
    }
  }

  /** When it wants to be brought up to date again. What cannot be brought up to date stays as it is. */
  async #refreshVolume(entry: Entry, volume: Volume, signal: AbortSignal): Promise<number> {
    const { setUp, events, log, clock, random } = this.#deps;
    try {
      return (await setUp(entry, volume, signal)).dueMs ?? Infinity;
    } catch (error) {
      signal.throwIfAborted();
      log.debug('volume not brought up to date', { pod: entry.uid, volume: volume.name, error });
      events.record(podRef(entry.pod), { type: 'Warning', reason: 'FailedMount', message: messageOf(error) });
      return clock.now() + jittered(this.#retryMs, random);
    }
  }
}
