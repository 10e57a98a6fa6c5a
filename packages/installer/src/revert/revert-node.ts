import { SelvedgeError, messageOf } from '@selvedge/kit';
import { undoMachine } from '../cloud/index.ts';
import type { ClusterClient } from '../cluster/index.ts';
import type { Progress } from '../command/index.ts';
import { type SessionDeps, withSession } from '../session/index.ts';
import type { FoundNode } from './plan.ts';
import { type TakenBack, takeBack, untilPlain } from './take-back.ts';
import type { RevertedNode } from './types.ts';

export interface RevertNodeDeps extends SessionDeps {
  /** undefined: out of reach. */
  readonly cluster: ClusterClient | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Telling {
  readonly progress: Progress;
  /** What stays as somebody else made it since. */
  readonly onKept: (text: string) => void;
}

type Identity = Pick<RevertedNode, 'node' | 'unit'>;

export function identityOf({ node: { name, unit } }: FoundNode): Identity {
  return { node: name, ...(unit === undefined ? {} : { unit }) };
}

function taken({ node }: FoundNode, deps: RevertNodeDeps, { progress, onKept }: Telling): Promise<TakenBack> {
  const { cluster, clock, timeoutMs } = deps;
  const onNote = (text: string): void => progress.note(text);
  return withSession(
    { machine: node, command: 'selvedge revert' },
    { ...deps, progress },
    (session, signal) =>
      takeBack({ session, node: node.name, timeoutMs }, { cluster, clock, onNote, onKept }, signal),
  );
}

/** Takes back a machine, or what the cloud remembers of one that was put back without it. */
async function revertOne(
  found: FoundNode,
  deps: RevertNodeDeps,
  telling: Telling,
): Promise<TakenBack | undefined> {
  const { progress } = telling;
  if (found.found.kind === 'touched') return await taken(found, deps, telling);
  if (found.found.kind === 'beside') {
    await using host = await deps.hosts.open(found.node, deps.signal);
    await undoMachine(found.node, host, { ...deps, ...telling });
    return undefined;
  }
  const { cluster, clock, timeoutMs, signal } = deps;
  if (cluster === undefined) return undefined;
  const onNote = (text: string): void => progress.note(text);
  const seeing = { node: found.node.name, renewsProxy: true, timeoutMs };
  await untilPlain(seeing, { cluster, clock, onNote }, signal);
  return undefined;
}

function failed(found: FoundNode, error: unknown): RevertedNode {
  const told = error instanceof SelvedgeError ? error.hint : undefined;
  const hint = told ?? 'run the same command again; it resumes where it stopped';
  return { ...identityOf(found), outcome: 'failed', reason: messageOf(error), hint };
}

/** Takes a node back, or what the cloud remembers of it. Throws for the signal alone. */
export async function revertNode(
  found: FoundNode,
  deps: RevertNodeDeps,
  progress: Progress,
): Promise<RevertedNode> {
  const { cluster, clock, signal } = deps;
  const begunMs = clock.monotonicMs();
  const notes: string[] = [];
  const onKept = (text: string): void => {
    progress.note(text);
    notes.push(text);
  };
  const told = (): Pick<RevertedNode, 'notes'> => (notes.length === 0 ? {} : { notes });
  try {
    const { unitsMs = 0, containers } = (await revertOne(found, deps, { progress, onKept })) ?? {};
    const totalMs = clock.monotonicMs() - begunMs;
    const facts = { outcome: 'reverted', verified: cluster !== undefined, totalMs, unitsMs } as const;
    const more = containers === undefined ? {} : { containers };
    return { ...identityOf(found), ...facts, ...told(), ...more };
  } catch (error) {
    signal.throwIfAborted();
    return { ...failed(found, error), ...told() };
  }
}
