import { parseAutonomy } from '@selvedge/api';
import { z } from 'zod';
import { wholeNumber } from './fields.ts';

const mapping = 'a mapping';
const expected = 'off, forever, or a duration of hours, minutes and seconds such as 72h or 1h30m';

const policy = z.string(expected).transform((value, context) => {
  const parsed = parseAutonomy(value);
  if (parsed !== undefined) return parsed;
  context.issues.push({ code: 'custom', message: expected, input: value });
  return z.NEVER;
});

const failover = z.strictObject(
  {
    perMinute: wholeNumber(1, 600).default(6),
    burst: wholeNumber(1, 100).default(3),
    unitPercent: wholeNumber(0, 100).default(50),
  },
  mapping,
);

/** What becomes of nodes that lose their link. */
export const autonomy = z.strictObject(
  {
    default: policy.prefault('24h'),
    gracePeriodSeconds: wholeNumber(8, 600).default(40),
    witnessSeconds: wholeNumber(5, 600).default(30),
    failover: failover.prefault({}),
  },
  mapping,
);
