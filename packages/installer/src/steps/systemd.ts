import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';
import { systemdProperties } from '../facts/index.ts';
import { type Host, programFailed } from '../host/index.ts';

/** How a unit is. Source: systemctl(1), systemd.exec(5) on INVOCATION_ID. */
export interface UnitStatus {
  /** Of its run that goes on, or was the last; empty if there was none. */
  readonly invocation: string;
  readonly active: string;
  readonly result: string;
  /** How often systemd started it again by itself. */
  readonly restarts: number;
}

interface Watched {
  readonly host: Host;
  readonly clock: Clock;
}

/** A unit has as long to start and to stop as systemd gives it (`DefaultTimeoutStartSec`), and a little more. */
const timeoutMs = 120_000;
const pauseMs = 500;
/** The way to the machine may lead through what is started again. */
const lostMs = 60_000;
/** It starts and fails, again and again. */
const tooManyRestarts = 3;

export async function systemctl(host: Host, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await host.run({ argv: ['systemctl', ...args], timeoutMs }, signal);
  if (result.exitCode === 0) return;
  const hint = `see why with journalctl -u ${args.at(-1)} on that machine`;
  throw programFailed({ what: `systemctl ${args.join(' ')}`, hint }, host, result);
}

export async function systemctlSays(
  host: Host,
  args: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  return (await host.run({ argv: ['systemctl', '--quiet', ...args] }, signal)).exitCode === 0;
}

/**
 * What systemd says of a unit, by property. Throws `Unavailable` if it says nothing: how the unit is, is not known then. Source:
 * systemctl(1), `show`.
 */
export async function unitProperties(
  host: Host,
  { name, properties }: { readonly name: string; readonly properties: string },
  signal: AbortSignal,
): Promise<(key: string) => string> {
  const result = await host.run({ argv: ['systemctl', 'show', '-p', properties, '--', name] }, signal);
  if (result.exitCode === 0) return systemdProperties(result.stdout.toString());
  throw programFailed({ what: `systemctl show ${name}`, code: 'Unavailable' }, host, result);
}

export async function unitStatus(host: Host, name: string, signal: AbortSignal): Promise<UnitStatus> {
  const properties = 'InvocationID,ActiveState,Result,NRestarts';
  const of = await unitProperties(host, { name, properties }, signal);
  return {
    invocation: of('InvocationID'),
    active: of('ActiveState'),
    result: of('Result'),
    restarts: Number(of('NRestarts')),
  };
}

/** What the unit said last, for people. */
async function lastWords(host: Host, name: string, signal: AbortSignal): Promise<string> {
  const argv = ['journalctl', '--no-pager', '-q', '-o', 'cat', '-n', '5', '-u', name] as const;
  const { stdout } = await host.run({ argv }, signal);
  return stdout.toString().trim().slice(-1_000);
}

async function notStarted(
  { host }: Watched,
  { name, why }: { readonly name: string; readonly why: string },
  signal: AbortSignal,
): Promise<SelvedgeError> {
  const said = await lastWords(host, name, signal).catch(() => '');
  return new SelvedgeError(
    `${name} on ${host.name} ${why}${said === '' ? '' : `; last log lines: ${said}`}`,
    {
      code: 'Unavailable',
      hint: `see journalctl -u ${name} on that machine`,
    },
  );
}

/** Calls again while the machine is out of reach, for a while: somebody started the way to it again. */
async function patiently<T>({ clock }: Watched, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const until = clock.monotonicMs() + lostMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'Unavailable') || clock.monotonicMs() >= until) throw error;
      await clock.sleep(pauseMs, signal);
    }
  }
}

/**
 * Starts a unit, again if it runs, and returns when another run of it than `old` is active, which is when it says that it
 * is ready (`Type=notify`). Does nothing if that is so already. Throws `Unavailable` with what it said if it fails.
 */
export async function startAnew(
  watched: Watched,
  { name, old }: { readonly name: string; readonly old: string },
  signal: AbortSignal,
): Promise<void> {
  const { host, clock } = watched;
  const look = (): Promise<UnitStatus> => patiently(watched, () => unitStatus(host, name, signal), signal);
  const first = await look();
  if (first.invocation !== old && first.active === 'active') return;
  await patiently(watched, () => systemctl(host, ['--no-block', 'restart', name], signal), signal);
  const until = clock.monotonicMs() + timeoutMs;
  // Who starts it anew begins to count anew, a moment later.
  let fewest = first.restarts;
  for (;;) {
    const { invocation, active, result, restarts } = await look();
    fewest = Math.min(fewest, restarts);
    const isNew = invocation !== first.invocation;
    if (isNew && active === 'active') return;
    const fails = restarts - fewest >= tooManyRestarts;
    if (isNew && (active === 'failed' || fails)) {
      throw await notStarted(watched, { name, why: `failed to start (${result})` }, signal);
    }
    if (clock.monotonicMs() >= until) {
      throw await notStarted(
        watched,
        { name, why: `is still ${active} after ${timeoutMs / 1_000} s` },
        signal,
      );
    }
    await clock.sleep(pauseMs, signal);
  }
}
