import { join } from 'node:path';
import type { Bed } from '@selvedge/bed';
import { type Clock, type TaskGroup, createTaskGroup, systemClock } from '@selvedge/kit';
import { stateFolder } from './edge-lite.ts';

/** cloud-manager hears one request a second of each node. */
const everyMs = 1_500;

/** What a node tells cloud-manager about other members of its unit, again and again, over its own link. */
export interface Witness extends AsyncDisposable {
  /** From now on. */
  says(node: string, alive: boolean): void;
}

/** Tells it once, with the certificate of the node that tells; resolves with the status and the answer. */
export async function testify(
  bed: Bed,
  witness: string,
  said: Readonly<Record<string, boolean>>,
): Promise<string> {
  const pki = join(stateFolder(bed, witness), 'pki');
  const reports = Object.entries(said).map(([node, alive]) => ({ node, alive, ageSeconds: 0 }));
  const argv = ['curl', '--silent', '--show-error', '--max-time', '5', '--write-out', '%{http_code}'];
  const who = ['--cert', join(pki, 'client.pem'), '--cacert', join(pki, 'ca.crt')];
  const what = ['--data', JSON.stringify({ reports }), `${bed.manager}/autonomy/v1alpha1/reports`];
  const { stdout } = await bed.exec(witness, ['env', ...argv, ...who, ...what]);
  return stdout;
}

class LoopingWitness implements Witness {
  readonly #bed: Bed;
  readonly #node: string;
  readonly #clock: Clock = systemClock;
  readonly #tasks: TaskGroup;
  readonly #said: Record<string, boolean> = {};

  constructor(bed: Bed, node: string) {
    this.#bed = bed;
    this.#node = node;
    this.#tasks = createTaskGroup({ name: 'witness' }, { onFailure: () => undefined });
    this.#tasks.run('tell', (signal) => this.#run(signal));
  }

  says(node: string, alive: boolean): void {
    this.#said[node] = alive;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      // One that is not heard, while nobody leads, is followed by another.
      await testify(this.#bed, this.#node, this.#said).catch(() => undefined);
      await this.#clock.sleep(everyMs, signal);
    }
  }
}

/** A node as a witness: the program that peers will run. */
export const startWitness = (bed: Bed, node: string): Witness => new LoopingWitness(bed, node);
