import type { InterfaceCounters, TrafficCounters } from './types.ts';

/** `name value` on each line; what is no number is left out. Pure. */
export function keyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split(/:?\s+/, 2);
    const number = Number(value);
    if (value !== '' && !Number.isNaN(number)) values.set(name, number);
  }
  return values;
}

/** 0 for a file that is not there or says something else. Pure. */
export function count(text: string): number {
  const value = Number(text.trim());
  return Number.isNaN(value) ? 0 : value;
}

/** What is not less than this is no limit. Kernels write `max`, or the largest number of whole pages. */
const unlimited = 2 ** 62;

/** Pure. */
export function limit(text: string): number | undefined {
  const value = Number(text.trim());
  return text.trim() === '' || Number.isNaN(value) || value < 0 || value >= unlimited ? undefined : value;
}

/** How many columns a direction has. */
const columns = 8;

function traffic([bytes = 0, packets = 0, errors = 0, drops = 0]: readonly number[]): TrafficCounters {
  return { bytes, packets, errors, drops };
}

/** `/proc/net/dev`, without the loopback. Pure. Source: proc_net(5). */
export function interfaceCounters(text: string): readonly InterfaceCounters[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', rest = ''] = line.trim().split(/:\s*/, 2);
    const fields = rest.split(/\s+/).map(Number);
    if (fields.length < 2 * columns || name === 'lo') return [];
    return [{ name, received: traffic(fields), sent: traffic(fields.slice(columns)) }];
  });
}

/** Ticks in `/proc` are hundredths of a second on all Linux machines. */
export const tickNs = 10_000_000;

/** Nanoseconds that all cores have worked since boot. Pure. Source: proc_stat(5). */
export function busyNs(stat: string): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] =
    stat.split('\n', 1)[0]?.split(/\s+/).map(Number) ?? [];
  return (user + nice + system + irq + softIrq + steal) * tickNs;
}

/** Milliseconds since the epoch; 0 if it is not there. Pure. */
export const bootTimeMs = (stat: string): number => (keyed(stat).get('btime') ?? 0) * 1000;
