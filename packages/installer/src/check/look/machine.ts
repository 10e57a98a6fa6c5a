import { type Clock, hasCode, messageOf } from '@selvedge/kit';
import { type HostPort, formatHostPort, hostOf, portOf } from '@selvedge/kit/net';
import { canReach, gatherFacts } from '../../facts/index.ts';
import type { Host, Hosts, Machine } from '../../host/index.ts';
import { recognize } from '../../layouts/index.ts';
import type { MachineSight, Reach, SeenMachine } from '../facts.ts';

export interface MachineDeps {
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The machine looked at its clock between the two moments, in the middle as far as is known. */
function aheadOf(timeMs: number, before: number, after: number): number {
  const middle = (before + after) / 2;
  const doubt = (after - before) / 2;
  const ahead = timeMs - middle;
  return Math.sign(ahead) * Math.max(0, Math.abs(ahead) - doubt);
}

/** What a machine is to reach. */
interface Goal {
  readonly to: HostPort;
  readonly what: Reach['what'];
}

async function reach(host: Host, { to, what }: Goal, signal: AbortSignal): Promise<Reach> {
  return { target: formatHostPort(to), what, kind: await canReach(host, to, signal) };
}

const placeOf = (url: URL): HostPort => ({ host: hostOf(url), port: portOf(url) });

async function look(
  host: Host,
  servers: readonly HostPort[],
  { clock, signal }: MachineDeps,
): Promise<SeenMachine> {
  const before = clock.now();
  const facts = await gatherFacts(host, signal);
  const aheadMs = aheadOf(facts.timeMs, before, clock.now());
  const recognition = recognize(facts);
  const apis = recognition.kind === 'known' ? recognition.layout.servers : [];
  const goals: readonly Goal[] = [
    ...apis.map((url) => ({ to: placeOf(new URL(url)), what: 'API server' as const })),
    ...servers.map((to) => ({ to, what: 'tunnel server' as const })),
  ];
  const reached = await Promise.all(goals.map((goal) => reach(host, goal, signal)));
  return { kind: 'seen', facts, recognition, aheadMs, reached };
}

/** Looks at a machine. That it cannot be entered, or is lost meanwhile, is part of the answer. */
export async function lookAtMachine(
  machine: Machine,
  tunnelServers: readonly HostPort[],
  deps: MachineDeps,
): Promise<MachineSight> {
  try {
    await using host = await deps.hosts.open(machine, deps.signal);
    return await look(host, tunnelServers, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (
      !hasCode(
        error,
        'Unavailable',
        'Unauthenticated',
        'Forbidden',
        'DeadlineExceeded',
        'NotFound',
        'Internal',
      )
    )
      throw error;
    return { kind: 'closed', why: messageOf(error), hint: error.hint ?? '' };
  }
}
