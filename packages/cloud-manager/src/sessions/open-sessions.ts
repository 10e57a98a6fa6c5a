import type { SessionView } from '@selvedge/tunnel';
import type { SessionChange } from '@selvedge/tunnel/server';

/** The sessions that are open, by their node; as many as the tunnel server lets in. */
export class OpenSessions {
  readonly #nodes = new Map<string, Map<number, SessionView>>();

  apply({ kind, session }: SessionChange): void {
    const { peer, id } = session;
    const sessions = this.#nodes.get(peer) ?? new Map<number, SessionView>();
    if (kind === 'ended') sessions.delete(id);
    else sessions.set(id, session);
    if (sessions.size === 0) this.#nodes.delete(peer);
    else this.#nodes.set(peer, sessions);
  }

  has(node: string): boolean {
    return this.#nodes.has(node);
  }

  /** In the order in which they came. */
  of(node: string): readonly SessionView[] {
    return Array.from(this.#nodes.get(node)?.values() ?? []);
  }

  nodes(): IterableIterator<string> {
    return this.#nodes.keys();
  }
}
