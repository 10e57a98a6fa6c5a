import type { EdgeNodeSession } from '@selvedge/api';
import type { SessionView } from '@selvedge/tunnel';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';

/** Sessions of one node and server that its EdgeNode shows, the newest. */
const maxEntries = 8;

/** A session as its EdgeNode shows it; undefined: it is over. Pure. */
function entryOf(server: string, session: SessionView): EdgeNodeSession | undefined {
  const { id, direction, carrier, version, remote, sinceMs, state } = session;
  if (state.kind === 'ended') return undefined;
  return {
    server,
    id: String(id),
    direction,
    state: state.kind,
    carrier,
    since: `${new Date(sinceMs).toISOString().slice(0, 19)}Z`,
    version,
    remote,
  };
}

/** What an EdgeNode should show of a server that holds these sessions of its node. Pure. */
export function entriesOf(server: string, sessions: readonly SessionView[]): readonly EdgeNodeSession[] {
  return sessions
    .map((session) => entryOf(server, session))
    .filter((entry) => entry !== undefined)
    .slice(-maxEntries);
}

/** What an EdgeNode shows of a server. */
export function shownOf(server: string, edgeNode: EdgeNodeObject | undefined): readonly EdgeNodeSession[] {
  return (edgeNode?.status?.sessions ?? []).filter((entry) => entry.server === server);
}

const textOf = (entries: readonly EdgeNodeSession[]): string =>
  JSON.stringify(
    entries
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
      .map((entry) => Object.entries(entry).toSorted(([one], [other]) => (one < other ? -1 : 1))),
  );

/** Whether two lists of one server say the same, in whatever order. Pure. */
export const sameEntries = (a: readonly EdgeNodeSession[], b: readonly EdgeNodeSession[]): boolean =>
  textOf(a) === textOf(b);
