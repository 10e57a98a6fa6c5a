import { labels } from '@selvedge/api';
import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';
import type { Progress } from '../command/index.ts';
import type { Host } from '../host/index.ts';
import { isSo, nothingLacks, poll } from '../waiting/index.ts';
import { type NodeState, lacking, lookAtNode } from './node-state.ts';
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

/** Resolves when the Node is Ready, as the API server has it. Throws why it is not. */
export async function untilReady(
  { host, node, clock, progress, signal }: Waiting,
  timeoutMs: number,
): Promise<void> {
  let state: NodeState = { active: '', exitCode: 0 };
  const onPending = (why: string): void => progress.note(`waiting for ${why}`);
  const polling = { what: `Node ${node}`, everyMs: 250, timeoutMs, onPending };
  try {
    await poll(polling, { clock, signal }, async () => {
      state = await lookAtNode(host, signal);
      if (state.active === 'failed') throw new SelvedgeError('edge-lite exited', { code: 'Internal' });
      return nothingLacks(lacking(state));
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw await whyNot({ host, exitCode: state.exitCode, cause }, signal);
  }
}

/** The cloud does it within a second, or not at all. */
const memberTimeoutMs = 10_000;

async function unitOf({ host, clock, signal }: Waiting, wanted: string): Promise<string | undefined> {
  let found: string | undefined;
  const polling = { what: `the unit ${wanted}`, timeoutMs: memberTimeoutMs };
  await poll(polling, { clock, signal }, async () => {
    found = (await lookAtNode(host, signal)).status?.node?.labels[labels.nodeUnit];
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
