import { SelvedgeError } from '@selvedge/kit';

/** `0.4 s`, `12 s`, `5 min 40 s`, `2 h 5 min`, `3 d 4 h`: at most two units. */
export function durationText(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `1h30m`, `7d` in milliseconds. Throws `Invalid`. */
export function parseDuration(text: string): number {
  if (!/^(?:\d{1,9}[smhd])+$/.test(text)) {
    throw new SelvedgeError(`${JSON.stringify(text)} is not a duration`, {
      code: 'Invalid',
      hint: 'use 90s, 30m, 2h, 1h30m or 7d',
    });
  }
  const parts = Array.from(text.matchAll(/(\d+)([smhd])/g));
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
}
