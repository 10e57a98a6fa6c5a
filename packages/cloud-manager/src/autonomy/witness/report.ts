import { SelvedgeError } from '@selvedge/kit';
import { z } from 'zod';

/** Members of a unit, itself not among them. */
const maxReports = 1_000;

const schema = z.strictObject({
  reports: z
    .array(
      z.strictObject({
        node: z.string().min(1).max(253),
        alive: z.boolean(),
        ageSeconds: z.number().min(0).max(86_400),
      }),
    )
    .max(maxReports),
});

/** What a node says about others: whether the kubelet of each was alive so many seconds ago. */
export type Report = z.output<typeof schema>['reports'][number];

/** Throws `Invalid`. */
export function parseReports(text: string): readonly Report[] {
  try {
    return schema.parse(JSON.parse(text)).reports;
  } catch (cause) {
    const message = `it is not {"reports": [{"node": name, "alive": true or false, "ageSeconds": number}]}, of at most ${maxReports}`;
    throw new SelvedgeError(message, { code: 'Invalid', cause });
  }
}

/** Why a report is not heard. */
export type Refusal = 'yourself' | 'no member of your unit' | 'too old';

export interface Standing {
  readonly witness: string;
  /** Of the witness's unit; it is among them. Empty: it is in none. */
  readonly members: ReadonlySet<string>;
  /** For how long what was seen counts, in milliseconds. */
  readonly validMs: number;
}

/** undefined: it is heard. Pure. */
export function whyNot(
  { node, ageSeconds }: Report,
  { witness, members, validMs }: Standing,
): Refusal | undefined {
  if (node === witness) return 'yourself';
  if (!members.has(node) || !members.has(witness)) return 'no member of your unit';
  return ageSeconds * 1_000 > validMs ? 'too old' : undefined;
}
