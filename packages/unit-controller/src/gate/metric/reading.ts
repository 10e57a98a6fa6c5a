import { isList, isObject, memberOf } from '@selvedge/kube';
import { parseDecimal } from './decimal.ts';

/** What a server of metrics said of a unit. */
export type MetricReading =
  /** A decimal number, as it was written. */
  | { readonly kind: 'number'; readonly text: string }
  /** For people: why there is none. */
  | { readonly kind: 'unknown'; readonly why: string };

export const unknown = (why: string): MetricReading => ({ kind: 'unknown', why });

/** Source: RFC 6901. */
function member(value: unknown, token: string): unknown {
  if (isList(value)) return /^(0|[1-9]\d{0,9})$/.test(token) ? value[Number(token)] : undefined;
  return isObject(value) ? memberOf(value, token) : undefined;
}

const at = (document: unknown, pointer: string): unknown =>
  pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(member, document);

function parsed(body: string): { readonly document: unknown } | undefined {
  try {
    return { document: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

/**
 * The number, or the text that is one, at a JSON pointer. Nothing else of the body is told: who may write a UnitApp may not
 * be one who may read it. Pure.
 */
export function readingOf(body: string, field: string): MetricReading {
  const answer = parsed(body);
  if (answer === undefined) return unknown('the answer is not JSON');
  const value = at(answer.document, field);
  if (value === undefined) return unknown(`the answer has nothing at ${field}`);
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && parseDecimal(text) !== undefined) return { kind: 'number', text };
  return unknown(`what the answer has at ${field} is no number`);
}
