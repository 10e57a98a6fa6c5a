import { type Host, programFailed } from '../host/index.ts';

const script = `
set -e
systemctl show --property ExecMainStartTimestampMonotonic "$1"
cat /proc/uptime
date +%s`;
const printed = /^\w+=(\d+)\n([\d.]+) [\d.]+\n(\d+)$/;

/**
 * When the main process of a unit was started, by the clock of its machine, in milliseconds since 1970, and a second too early
 * at most: objects of the API know no parts of seconds. undefined if it does not run. Throws `Unavailable` if
 * systemd does not say. Source: org.freedesktop.systemd1(5).
 */
export async function startOf(host: Host, unit: string, signal: AbortSignal): Promise<number | undefined> {
  const result = await host.run({ argv: ['sh', '-c', script, 'sh', unit] }, signal);
  if (result.exitCode !== 0)
    throw programFailed({ what: `systemctl show ${unit}`, code: 'Unavailable' }, host, result);
  const [, started = '0', uptime = '0', now = '0'] = printed.exec(result.stdout.toString().trim()) ?? [];
  if (Number(started) === 0) return undefined;
  const age = Number(uptime) - Number(started) / 1_000_000;
  return Math.floor(Number(now) - age) * 1_000;
}
