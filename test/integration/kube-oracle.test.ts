import { hasCode } from '@selvedge/kit';
import {
  addQuantities,
  compareQuantities,
  formatFieldSelector,
  formatQuantity,
  matchesFields,
  matchesLabels,
  milliUnitsOf,
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
} from '@selvedge/kube';
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type Answer, type Request, ask } from './oracle.ts';

type TextRequest = Request & { readonly text: string };

/** Beyond, apimachinery's MilliValue is not exact. */
const maxMilliNanos = 2n ** 50n * 10n ** 9n;
const sample = { seed: 7, numRuns: 3_000 };

/** Answers beside ours; `undefined` from `ours` means that we refuse the input. */
async function compare(
  requests: readonly TextRequest[],
  ours: (request: TextRequest) => Answer,
): Promise<void> {
  const answers = await ask(requests);
  expect(answers).toHaveLength(requests.length);
  const differences = requests.flatMap((request, i) => {
    const [expected, actual] = [answers[i], orRefused(() => ours(request))];
    const same = JSON.stringify(expected, sorted) === JSON.stringify(actual, sorted);
    return same ? [] : [{ request, expected, actual }];
  });
  expect(differences).toEqual([]);
}

const sorted = ['error', 'canonical', 'sum', 'compare', 'milli', 'matches'];

function orRefused(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    if (hasCode(error, 'Invalid')) return { error: true, compare: 0, matches: false };
    throw error;
  }
}

const digits = fc.stringMatching(/^\d{1,7}$/);
const quantityText = fc.oneof(
  fc
    .record({
      sign: fc.constantFrom('', '', '', '-', '+'),
      whole: digits,
      fraction: fc
        .constantFrom('', '.')
        .chain((dot) => (dot === '' ? fc.constant('') : digits.map((d) => `.${d}`))),
      suffix: fc.constantFrom(
        '',
        'n',
        'u',
        'm',
        'k',
        'M',
        'G',
        'T',
        'Ki',
        'Mi',
        'Gi',
        'Ti',
        'e3',
        'E6',
        'e-3',
        'e+2',
        'e0',
      ),
    })
    .map(({ sign, whole, fraction, suffix }) => `${sign}${whole}${fraction}${suffix}`),
  fc.stringMatching(/^[-+]?\d{1,3}\.?\d{0,2}[a-zA-Z]{0,2}\d?$/),
  fc.constantFrom(
    '0',
    '00',
    '1.',
    '.5',
    '-.5',
    '0.0',
    '1 ',
    '',
    '1e',
    '1E',
    '5Pi',
    '7Ei',
    '8Ei',
    '-9Ei',
    '1024Ki',
    '0.1Ki',
  ),
);

const key = fc.constantFrom('a', 'b', 'x.io/c', 'in', 'notin', 'A_b', '-a', 'x_/c', '/c', 'a/b/c');
const value = fc.constantFrom(
  '',
  '1',
  '2',
  '-3',
  '+4',
  'v',
  'in',
  'notin',
  'a.b',
  '-v',
  'v_',
  '9223372036854775808',
);
const space = fc.constantFrom('', '', ' ', '\t');
const labelTerm = fc
  .tuple(
    key,
    fc.constantFrom('=', '==', '!=', '>', '<', ' in ', ' notin ', ''),
    fc.array(value, { maxLength: 3 }),
    space,
  )
  .map(([left, operator, values, gap]) => {
    if (operator === '') return `${values.length === 0 ? '!' : ''}${gap}${left}`;
    const isSet = operator.includes('in');
    return `${left}${gap}${operator}${gap}${isSet ? `(${values.join(`${gap},`)})` : (values[0] ?? '')}`;
  });
const labelText = fc.oneof(
  fc.array(labelTerm, { maxLength: 3 }).map((terms) => terms.join(',')),
  fc
    .array(fc.oneof(key, value, fc.constantFrom('=', '!', '(', ')', ',', '>', ' ', ' in ')), { maxLength: 7 })
    .map((parts) => parts.join('')),
);
const labels = fc.dictionary(fc.constantFrom('a', 'b', 'x.io/c', 'in', 'A_b'), value, { maxKeys: 3 });

const fieldText = fc
  .array(fc.constantFrom('a', 'b.c', '=', '==', '!=', '!', ',', '\\', '\\,', '\\=', '\\\\', 'é', ' '), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));
const fieldValues = fc.dictionary(
  fc.constantFrom('a', 'b.c', 'aa'),
  fc.constantFrom('', 'a', 'b.c', ',', '=', '\\'),
);

describe('apimachinery', () => {
  it('reads, writes, adds and compares quantities as we do', async () => {
    const pairs = fc.sample(fc.tuple(quantityText, quantityText), sample);
    const requests = pairs.map(([text, other]) => ({ kind: 'quantity', text, other }) as const);
    await compare(requests, ({ text, other = '' }) => {
      const [a, b] = [parseQuantity(text), parseQuantity(other)];
      return {
        canonical: formatQuantity(a),
        sum: formatQuantity(addQuantities(a, b)),
        compare: compareQuantities(a, b),
        ...(a.nanos > 0n && a.nanos < maxMilliNanos ? { milli: String(milliUnitsOf(a)) } : {}),
        matches: false,
      };
    });
  });

  it('reads and applies label selectors as we do', async () => {
    const pairs = fc.sample(fc.tuple(labelText, labels), sample);
    const requests = pairs.map(([text, values]) => ({ kind: 'label', text, values: { ...values } }) as const);
    await compare(requests, ({ text, values }) => ({
      compare: 0,
      matches: matchesLabels(parseLabelSelector(text), values),
    }));
  });

  it('reads, writes and applies field selectors as we do', async () => {
    const pairs = fc.sample(fc.tuple(fieldText, fieldValues), sample);
    const requests = pairs.map(([text, values]) => ({ kind: 'field', text, values: { ...values } }) as const);
    await compare(requests, ({ text, values = {} }) => {
      const selector = parseFieldSelector(text);
      const canonical = formatFieldSelector(selector);
      const matches = matchesFields(selector, (field) => values[field] ?? '');
      return { ...(canonical === '' ? {} : { canonical }), compare: 0, matches };
    });
  });
});
