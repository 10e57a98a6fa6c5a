import type { Socket } from 'node:net';
import { aborted, createTaskGroup, scoped, type Clock, type TaskGroup } from '@selvedge/kit';
import { remoteOf } from '../session/remote.ts';

/** Why a connection did not become a session. */
export type HandshakeFailure = 'displaced' | 'late' | 'tls' | 'untrusted' | 'protocol' | 'refused' | 'closed';

export interface HandshakesOptions {
  readonly maxHandshakes: number;
  /** For all of one handshake, whatever its carrier. */
  readonly handshakeMs: number;
}

export interface HandshakesDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  /** `detail`: in the words of TLS, where it says more. */
  readonly onFailed: (why: HandshakeFailure, remote: string, detail?: string) => void;
}

/** A connection that has not proved who it is. */
export interface Handshake {
  readonly remote: string;
  /** False once it is a session, or has failed. */
  readonly open: boolean;
  /** It is a session: its time no longer runs and its place is free. */
  done(): void;
  /** Closes the connection. */
  fail(why: HandshakeFailure, detail?: string): void;
}

/** The time and the places that strangers get. When all places are taken the eldest is closed. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #deps: HandshakesDeps;
  readonly #open = new Set<Handshake>();
  readonly #tasks: TaskGroup;

  constructor(options: HandshakesOptions, deps: HandshakesDeps) {
    this.#options = options;
    this.#deps = deps;
    // Those that were closed need a turn of the event loop to be gone.
    const maxTasks = options.maxHandshakes * 2 + 1_000;
    this.#tasks = createTaskGroup({ name: 'handshakes', maxTasks }, { onFailure: () => undefined });
  }

  get size(): number {
    return this.#open.size;
  }

  begin(socket: Socket): Handshake {
    const open = this.#open;
    const scope = scoped();
    const end = (): boolean => {
      scope.abort(aborted('handshake'));
      return open.delete(handshake);
    };
    const handshake: Handshake = {
      remote: remoteOf(socket) ?? 'a connection that is gone',
      get open() {
        return open.has(handshake);
      },
      done: () => void end(),
      fail: (why, detail) => {
        socket.destroy();
        if (end()) this.#deps.onFailed(why, handshake.remote, detail);
      },
    };
    this.#makeRoom();
    open.add(handshake);
    socket.once('close', () => handshake.fail('closed'));
    this.#tasks.run('deadline', async () => {
      await this.#deps.clock.sleep(this.#options.handshakeMs, scope.signal);
      handshake.fail('late');
    });
    return handshake;
  }

  async close(): Promise<void> {
    for (const handshake of this.#open) handshake.fail('closed');
    await this.#tasks.stop();
  }

  #makeRoom(): void {
    for (const eldest of this.#open) {
      if (this.#open.size < this.#options.maxHandshakes) return;
      eldest.fail('displaced');
    }
  }
}
