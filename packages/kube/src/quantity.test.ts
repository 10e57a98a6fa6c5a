import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  milliUnitsOf,
  parseQuantity,
  quantityOfUnits,
  subtractQuantities,
  unitsOf,
  type Quantity,
} from './quantity.ts';

const quantity: fc.Arbitrary<Quantity> = fc.record({
  nanos: fc.bigInt({ min: -(10n ** 26n), max: 10n ** 26n }),
  format: fc.constantFrom('DecimalSI', 'BinarySI', 'DecimalExponent'),
});

describe('quantities', () => {
  it.each([
    ['100m', '100m'],
    ['0.1', '100m'],
    ['1.5', '1500m'],
    ['1000', '1k'],
    ['1500Mi', '1500Mi'],
    ['1.5Gi', '1536Mi'],
    ['1024Ki', '1Mi'],
    ['512Ki', '512Ki'],
    ['0.5Ki', '512'],
    ['1e3', '1e3'],
    ['1E6', '1e6'],
    ['12E', '12E'],
    ['1000E', '1000E'],
    ['0.0000000001', '1n'],
    ['-0.0000000001', '-1n'],
    ['0Ki', '0'],
    ['9Ei', '9223372036854775807'],
  ])('writes %s as %s', (text, canonical) => {
    expect(formatQuantity(parseQuantity(text))).toBe(canonical);
  });

  it.each(['', '.', '-', 'm', '1mm', '1 m', '1Zi', '1ki', '1e', '1e1.5', '0x10', '1e1001'])(
    'refuses %j',
    (text) => {
      expect(() => parseQuantity(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
    },
  );

  it('counts units and thousandths, rounding away from zero', () => {
    expect([unitsOf(parseQuantity('1.2')), milliUnitsOf(parseQuantity('0.0001'))]).toEqual([2n, 1n]);
    expect([unitsOf(parseQuantity('-1.2')), milliUnitsOf(parseQuantity('2'))]).toEqual([-2n, 2_000n]);
    expect(formatQuantity(quantityOfUnits(64 * 1024 * 1024, 'BinarySI'))).toBe('64Mi');
  });

  property.prop([quantity])('reads back what it writes', (one) => {
    expect(parseQuantity(formatQuantity(one)).nanos).toBe(one.nanos);
  });

  property.prop([quantity])('writes the same text for what it reads back', (one) => {
    const text = formatQuantity(one);
    expect(formatQuantity(parseQuantity(text))).toBe(text);
  });

  property.prop([quantity, quantity])('adds and subtracts exactly', (a, b) => {
    expect(subtractQuantities(addQuantities(a, b), b).nanos).toBe(a.nanos);
    expect(Math.sign(compareQuantities(addQuantities(a, b), a))).toBe(
      b.nanos === 0n ? 0 : b.nanos > 0n ? 1 : -1,
    );
  });

  property.prop([fc.string()])('throws nothing but Invalid', (text) => {
    try {
      parseQuantity(text);
    } catch (error) {
      expect(error).toMatchObject({ code: 'Invalid' });
    }
  });
});
