import { type EdgeUnit, edgeUnits, labels } from '@selvedge/api';
import { type Logger, createListeners } from '@selvedge/kit';
import { createMirror } from '../facts/index.ts';
import type { Replica } from '../replica/types.ts';

/** The EdgeUnit of this node, as the replica knows it: at once, and offline too. */
export interface Unit extends Disposable {
  /** Undefined: the node is in none. */
  readonly name: string | undefined;
  /** Nodes of the unit, this one among them; without a unit only this one. */
  readonly members: ReadonlySet<string>;
  /** Called after name or members became others. */
  onChange(changed: () => void): Disposable;
}

export interface UnitDeps {
  readonly replica: Pick<Replica, 'base' | 'reader'>;
  readonly log: Logger;
}

export const unitResource = `${edgeUnits.apiVersion}/${edgeUnits.plural}`;

const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && a.isSubsetOf(b);

/** The cloud says by a label on the Node which unit it is, and by the unit's status who else is in it. */
export function createUnit({ nodeName }: { readonly nodeName: string }, { replica, log }: UnitDeps): Unit {
  const listeners = createListeners<void>(log);
  const node = createMirror(
    {
      reader: replica.reader('v1/nodes'),
      pick: ({ metadata }) => (metadata.name === nodeName ? true : undefined),
    },
    () => update(),
  );
  const units = createMirror(
    {
      reader: replica.reader(unitResource),
      pick: (object) => (object as EdgeUnit).status?.members?.map(({ name }) => name) ?? [],
    },
    () => update(),
  );
  const readName = (): string | undefined =>
    // As the cloud has it: what local clients made of the Node does not count.
    replica.base('v1/nodes', { namespace: '', name: nodeName })?.metadata.labels?.[labels.nodeUnit];
  const readMembers = (name: string | undefined): ReadonlySet<string> =>
    new Set([nodeName, ...(name === undefined ? [] : (units.get({ namespace: '', name }) ?? []))]);
  let name = readName();
  let members = readMembers(name);
  const update = (): void => {
    const before = { name, members };
    name = readName();
    members = readMembers(name);
    if (name !== before.name || !isSame(members, before.members)) listeners.tell();
  };
  return {
    get name() {
      return name;
    },
    get members() {
      return members;
    },
    onChange: (changed) => listeners.add(changed),
    [Symbol.dispose]() {
      node[Symbol.dispose]();
      units[Symbol.dispose]();
    },
  };
}
