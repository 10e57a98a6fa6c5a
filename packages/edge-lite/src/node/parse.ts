/** Readers of the kernel's text files. All pure; what is not there is undefined. */

/** `MemTotal` and `MemAvailable` of /proc/meminfo in bytes. */
export function memory(text: string): {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly swapBytes: number;
} {
  const kilobytes = (name: string): number => {
    const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text) ?? [];
    return Number(value ?? 0);
  };
  return {
    totalBytes: kilobytes('MemTotal') * 1024,
    availableBytes: kilobytes('MemAvailable') * 1024,
    swapBytes: kilobytes('SwapTotal') * 1024,
  };
}

/** How many processors a list such as `0-3,6` names. */
export function cpuCount(list: string): number {
  const ranges = list
    .trim()
    .split(',')
    .filter((range) => range !== '');
  return ranges.reduce((count, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return count + last - first + 1;
  }, 0);
}

/** `PRETTY_NAME` of os-release(5). */
export function osName(text: string): string | undefined {
  const [, value] = /^PRETTY_NAME=(.*)$/m.exec(text) ?? [];
  return value?.trim().replace(/^(["'])(.*)\1$/, '$2');
}

/** The interface of the IPv4 default route with the least metric in /proc/net/route. */
export function defaultInterface(text: string): string | undefined {
  const routes = text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .toSorted((a, b) => Number(a[6]) - Number(b[6]));
  return routes[0]?.[0];
}

/** Running and sleeping tasks of /proc/loadavg. */
export function taskCount(text: string): number {
  const [, total] = /\d+\/(\d+)/.exec(text) ?? [];
  return Number(total ?? 0);
}
