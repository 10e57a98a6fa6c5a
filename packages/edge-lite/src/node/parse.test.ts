import { expect, test } from 'vitest';
import { cpuCount, defaultInterface, memory, osName, taskCount } from './parse.ts';

test('memory is read in bytes', () => {
  const text =
    'MemTotal:       24689204 kB\nMemFree:  1 kB\nMemAvailable:   21000000 kB\nSwapTotal:             0 kB\n';
  expect(memory(text)).toEqual({
    totalBytes: 24_689_204 * 1024,
    availableBytes: 21_000_000 * 1024,
    swapBytes: 0,
  });
  expect(memory('')).toEqual({ totalBytes: 0, availableBytes: 0, swapBytes: 0 });
});

test.each([
  ['0\n', 1],
  ['0-1\n', 2],
  ['0-3,6,8-9\n', 7],
  ['', 0],
])('the processors of %j are counted', (list, count) => {
  expect(cpuCount(list)).toBe(count);
});

test('the name of the system loses its quotes', () => {
  expect(osName('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')).toBe(
    'Debian GNU/Linux 12 (bookworm)',
  );
  expect(osName("PRETTY_NAME='x'")).toBe('x');
  expect(osName('PRETTY_NAME=Alpine')).toBe('Alpine');
  expect(osName('ID=debian')).toBeUndefined();
});

test('the default route with the least metric names the interface', () => {
  const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const lan = 'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
  const slow = 'wwan0\t00000000\t010200C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n';
  const fast = 'eth1\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n';
  expect(defaultInterface(head + lan + slow + fast)).toBe('eth1');
  expect(defaultInterface(head + lan)).toBeUndefined();
  expect(defaultInterface('')).toBeUndefined();
});

test('tasks are those of loadavg', () => {
  expect(taskCount('3.49 2.03 1.32 4/181 16251\n')).toBe(181);
  expect(taskCount('')).toBe(0);
});
