import type { StringSchema } from './schema.ts';

/** How long a node that lost its link is left in peace. */
export type Autonomy =
  | { readonly kind: 'off' }
  | { readonly kind: 'forever' }
  | { readonly kind: 'period'; readonly ms: number };

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };
const form = '^(off|forever|([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?)$';

/** The schema of `spec.autonomy`, with who else decides where it is absent. */
export const autonomySchema = (otherwise: string) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: 24,
    description: `How long a node that lost its link to the cloud counts as alive, so that nothing is evicted from it: off, forever, or a duration such as 72h or 1h30m. Default: ${otherwise}.`,
    'x-kubernetes-validations': [
      {
        rule: `self.matches('${form}')`,
        message: 'must be off, forever, or a duration of hours, minutes and seconds such as 72h or 1h30m',
      },
    ],
  }) as const satisfies StringSchema;

/** Reads `spec.autonomy`; undefined if it is none. A period of no length is `off`. Pure. */
export function parseAutonomy(text: string): Autonomy | undefined {
  if (text === 'off' || text === 'forever') return { kind: text };
  if (text === '' || !new RegExp(form).test(text)) return undefined;
  const parts = text.matchAll(/(\d+)([hms])/g);
  const ms = Array.from(parts).reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit] ?? 0),
    0,
  );
  return ms === 0 ? { kind: 'off' } : { kind: 'period', ms };
}
