import { type Listeners, type Logger, type Service, createListeners } from '@selvedge/kit';
import type { ObjectReader } from '@selvedge/kube';
import type { EdgeNodeObject } from './resource.ts';

export interface BansDeps {
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly log: Logger;
}

/** Which nodes the cloud refuses: `EdgeNode.spec.banned`, as this process sees it. */
export interface Bans extends Service {
  readonly isBanned: (node: string) => boolean;
  /** Told of each node when its ban begins. */
  onBan(banned: (node: string) => void): Disposable;
}

const bannedIn = (edgeNode: EdgeNodeObject | undefined): boolean => edgeNode?.spec?.banned === true;

/** Knows what the store knows; before the store is in sync nobody should be let in. */
export function createBans({ edgeNodes, log }: BansDeps): Bans {
  const listeners: Listeners<string> = createListeners(log);
  let unsubscribe: (() => void) | undefined;
  return {
    name: 'bans',
    async start() {
      unsubscribe = edgeNodes.subscribe((change) => {
        const node = change.object.metadata.name ?? '';
        const before = change.kind === 'updated' && bannedIn(change.previous);
        const now = change.kind !== 'deleted' && bannedIn(change.object);
        if (before === now) return;
        log.info(now ? 'node banned' : 'ban lifted', { node });
        if (now) listeners.tell(node);
      });
    },
    async stop() {
      unsubscribe?.();
    },
    isBanned: (node) => bannedIn(edgeNodes.get(node)),
    onBan: (banned) => listeners.add(banned),
  };
}
