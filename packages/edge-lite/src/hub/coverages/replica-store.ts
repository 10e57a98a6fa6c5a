import { setImmediate } from 'node:timers/promises';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject, ReflectorStore, Replacement } from '@selvedge/kube';
import type { CoverageChange, Relist, Replica } from '../replica/types.ts';

export interface ReplicaStoreOptions {
  /** Of the coverage. */
  readonly id: number;
  /** How far it was in an earlier run. */
  readonly upstreamVersion: string;
}

export interface ReplicaStoreDeps {
  readonly replica: Pick<Replica, 'apply' | 'relist'>;
  /** Told of everything that upstream said. `complete`: a whole list is in. */
  readonly heard: (what: 'complete' | 'change') => void;
}

/** Where the reflector of one coverage writes. */
export interface ReplicaStore extends ReflectorStore<KubeObject> {
  readonly upstreamVersion: string;
  /** The next list is of a cluster that went back in time: older versions count. */
  rewind(): void;
  /** Nothing is written any more. */
  close(): void;
}

/** What of a list is written in one transaction, before others get their turn: so many objects, or characters of JSON. */
const pieceSize = 64;
const pieceText = 256 * 1024;

const deletion = (object: KubeObject): CoverageChange => ({ type: 'delete', object });

/** About how long the JSON of a value is; a small part of the work of writing it. */
function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 5;
  let length = 2;
  for (const [key, one] of Object.entries(value)) length += key.length + 3 + textLength(one);
  return length;
}

/** Gathers what comes in small pieces, as chunks of a stream are. */
class Pieces {
  readonly #relist: Relist;
  readonly #gathered: KubeObject[] = [];
  #text = 0;

  constructor(relist: Relist) {
    this.#relist = relist;
  }

  async add(objects: readonly KubeObject[], checkOpen: () => void): Promise<void> {
    for (const object of objects) {
      this.#gathered.push(object);
      this.#text += textLength(object);
      if (this.#gathered.length < pieceSize && this.#text < pieceText) continue;
      this.flush();
      await setImmediate();
      checkOpen();
    }
  }

  flush(): void {
    this.#text = 0;
    if (this.#gathered.length > 0) this.#relist.add(this.#gathered.splice(0));
  }
}

export function createReplicaStore(options: ReplicaStoreOptions, deps: ReplicaStoreDeps): ReplicaStore {
  const { replica, heard } = deps;
  const { id } = options;
  let upstreamVersion = options.upstreamVersion;
  let rewound = false;
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw new SelvedgeError('the coverage was dropped', { code: 'Aborted' });
  };
  const beginReplace = (): Replacement<KubeObject> => {
    checkOpen();
    const relist = replica.relist(id, { rewound });
    const pieces = new Pieces(relist);
    return {
      add(objects) {
        checkOpen();
        return pieces.add(objects, checkOpen);
      },
      remove(objects) {
        checkOpen();
        pieces.flush();
        replica.apply(id, objects.map(deletion), upstreamVersion);
      },
      commit(version) {
        checkOpen();
        pieces.flush();
        relist.commit(version);
        upstreamVersion = version;
        rewound = false;
        heard('complete');
      },
      abandon: () => relist.abandon(),
    };
  };
  return {
    get upstreamVersion() {
      return upstreamVersion;
    },
    beginReplace,
    apply(events, version) {
      checkOpen();
      const changes = events.map(
        ({ type, object }): CoverageChange =>
          type === 'DELETED' ? deletion(object) : { type: 'put', object },
      );
      replica.apply(id, changes, version);
      upstreamVersion = version;
      heard('change');
    },
    rewind() {
      rewound = true;
    },
    close() {
      closed = true;
    },
  };
}
