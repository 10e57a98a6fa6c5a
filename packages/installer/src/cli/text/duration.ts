import { SelvedgeError } from '@selvedge/kit';

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
