import { labels } from '@selvedge/api';
import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';
import type { Progress } from '../command/index.ts';
import type { Host } from '../host/index.ts';
import { isSo, nothingLacks, poll } from '../waiting/index.ts';
import { type EdgeLiteState, lacking, lookAtEdgeLite } from './edge-lite-state.ts';
import { lackingInTunnel } from './tunnel-state.ts';
import type { JoinResult } from './types.ts';
import { whyNot } from './why.ts';

/** A machine that shall be Ready soon. */
export interface Waiting {
  readonly host: Host;
  readonly node: string;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Awaited {
  readonly what: string;
  readonly timeoutMs: number;
  readonly hint?: string;
  /** What is missing, for people. */
  readonly lacks: (state: EdgeLiteState) => readonly string[];
}

const everyMs = 250;

/** Resolves when nothing is missing. Throws why something is, and why edge-lite exited if it did. */
async function until(
  { host, clock, progress, signal }: Waiting,
  { lacks, ...polling }: Awaited,
  failed: (state: EdgeLiteState, cause: unknown) => Promise<unknown>,
): Promise<void> {
  let state: EdgeLiteState = { active: '', exitCode: 0 };
  const onPending = (why: string): void => progress.note(`waiting for ${why}`);
  try {
    await poll({ ...polling, everyMs, onPending }, { clock, signal }, async () => {
      state = await lookAtEdgeLite(host, signal);
      if (state.active === 'failed') throw new SelvedgeError('edge-lite exited', { code: 'Internal' });
      return nothingLacks(lacks(state));
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw await failed(state, cause);
  }
}

/** Resolves when the Node is Ready, as the API server has it. Throws why it is not. */
export function untilReady(waiting: Waiting, timeoutMs: number): Promise<void> {
  const { host, node, signal } = waiting;
  return until(waiting, { what: `Node ${node}`, timeoutMs, lacks: lacking }, ({ exitCode }, cause) =>
    whyNot({ host, exitCode, cause }, signal),
  );
}

/** It connects while the Node becomes Ready: what is not there by then is tried again within seconds, or does not work. */
const tunnelTimeoutMs = 60_000;
const tunnelHint =
  'the Node is Ready, but kubectl logs and exec fail: see docs/tasks/tunnel.md, "It does not connect"; then run the same command again, which resumes where it stopped';

/** Resolves when the cloud reaches the node through the tunnel, at once if it has none. Throws `DeadlineExceeded` with what is missing. */
export function untilReached(waiting: Waiting): Promise<void> {
  const { host, node, signal } = waiting;
  const awaited: Awaited = {
    what: `the tunnel of ${node}`,
    timeoutMs: tunnelTimeoutMs,
    hint: tunnelHint,
    lacks: ({ status }) => (status === undefined ? ['edge-lite to answer'] : lackingInTunnel(status)),
  };
  return until(waiting, awaited, async ({ active, exitCode }, cause) =>
    active === 'failed' ? await whyNot({ host, exitCode, cause }, signal) : cause,
  );
}

/** The cloud does it within a second, or not at all. */
const memberTimeoutMs = 10_000;

async function unitOf({ host, clock, signal }: Waiting, wanted: string): Promise<string | undefined> {
  let found: string | undefined;
  const polling = { what: `the unit ${wanted}`, timeoutMs: memberTimeoutMs };
  await poll(polling, { clock, signal }, async () => {
    found = (await lookAtEdgeLite(host, signal)).status?.node?.labels[labels.nodeUnit];
    return isSo(found === wanted, `it is in ${found ?? 'none'}`);
  }).catch((error: unknown) => {
    if (!hasCode(error, 'DeadlineExceeded')) throw error;
  });
  return found;
}

/** Waits until the cloud has taken the node into a unit, and says so if it does not. */
export async function awaitUnit(
  waiting: Waiting,
  wanted: string | undefined,
): Promise<Pick<JoinResult, 'unit' | 'warnings'>> {
  if (wanted === undefined) return { warnings: [] };
  const { node, progress } = waiting;
  const found = await progress.task(`wait for unit ${wanted}`, () => unitOf(waiting, wanted));
  if (found === wanted) return { unit: wanted, warnings: [] };
  const how = `selvedge unit move ${node} ${wanted}`;
  const warning = `${node} is not a member of unit ${wanted}, and a node cannot add itself; to add it: ${how}`;
  return { ...(found === undefined ? {} : { unit: found }), warnings: [warning] };
}
