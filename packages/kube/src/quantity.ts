import { SelvedgeError } from '@selvedge/kit';

/** How a quantity is written: `500m` and `2G`, `64Mi`, or `1e3`. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount of a resource, down to a billionth. Source: kubernetes.io "Quantity". */
export interface Quantity {
  /** The value × 10⁹. */
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

interface Scale {
  readonly multiplier: bigint;
  /** For suffixes below one, and exponents below zero. */
  readonly divisor: bigint;
  readonly format: QuantityFormat;
}

const nanosPerUnit = 10n ** 9n;
const maxBinaryNanos = (2n ** 63n - 1n) * nanosPerUnit;
/** Larger exponents are refused: they only cost memory. */
const maxExponent = 1_000;

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

const pattern = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;

function invalid(text: string, why: string): SelvedgeError {
  return new SelvedgeError(`quantity ${JSON.stringify(text)} ${why}`, { code: 'Invalid' });
}

function powerOfTen(exponent: number, format: QuantityFormat): Scale {
  const power = 10n ** BigInt(Math.abs(exponent));
  return exponent < 0
    ? { multiplier: 1n, divisor: power, format }
    : { multiplier: power, divisor: 1n, format };
}

function scaleOf(text: string, suffix: string): Scale {
  const binary = (binarySuffixes as readonly string[]).indexOf(suffix);
  if (binary >= 0) return { multiplier: 1024n ** BigInt(binary + 1), divisor: 1n, format: 'BinarySI' };
  const decimal = (decimalSuffixes as readonly string[]).indexOf(suffix);
  if (decimal >= 0) return powerOfTen(3 * (decimal - 3), 'DecimalSI');
  const exponent = Number(suffix.slice(1));
  if (Math.abs(exponent) > maxExponent) throw invalid(text, 'has an exponent that is too large');
  return powerOfTen(exponent, 'DecimalExponent');
}

/** Away from zero when it is not exact. Both are positive. */
const divideUp = (dividend: bigint, divisor: bigint): bigint => (dividend + divisor - 1n) / divisor;

function partsOf(text: string): readonly [sign: string, whole: string, fraction: string, suffix: string] {
  const match = pattern.exec(text);
  if (match === null) throw invalid(text, 'is not a number with a suffix');
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  return [sign, whole, fraction, suffix];
}

/**
 * Reads `100m`, `1.5Gi`, `2e3`, … exactly; what is finer than a billionth is rounded away from zero, and binary
 * quantities end at 2⁶³−1, as in Kubernetes. Throws `Invalid`.
 */
export function parseQuantity(text: string): Quantity {
  const [sign, whole, fraction, suffix] = partsOf(text);
  const { multiplier, divisor, format } = scaleOf(text, suffix);
  const digits = BigInt(`0${whole}${fraction}`);
  const size = divideUp(digits * multiplier * nanosPerUnit, divisor * 10n ** BigInt(fraction.length));
  const signed = (nanos: bigint): bigint => (sign === '-' ? -nanos : nanos);
  if (format !== 'BinarySI') return { nanos: signed(size), format };
  if (size > maxBinaryNanos) return { nanos: signed(maxBinaryNanos), format };
  return { nanos: signed(size), format: size > 0n && size < nanosPerUnit ? 'DecimalSI' : format };
}

/** Divides by `step` while that is exact, at most `max` times. */
function reduce(value: bigint, step: bigint, max: number): { readonly rest: bigint; readonly times: number } {
  let rest = value;
  let times = 0;
  while (times < max && rest % step === 0n) {
    rest /= step;
    times += 1;
  }
  return { rest, times };
}

function formatBinary(units: bigint): string {
  const { rest, times } = reduce(units, 1024n, binarySuffixes.length);
  return `${rest}${times === 0 ? '' : binarySuffixes[times - 1]}`;
}

function formatDecimal({ nanos, format }: Quantity): string {
  if (format !== 'DecimalExponent') {
    const { rest, times } = reduce(nanos, 1_000n, decimalSuffixes.length - 1);
    return `${rest}${decimalSuffixes[times]}`;
  }
  const { rest, times } = reduce(nanos, 1_000n, Infinity);
  return times === 3 ? String(rest) : `${rest}e${3 * times - 9}`;
}

/** The canonical form: no fraction, the largest suffix that keeps it exact. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return '0';
  const units = nanos / nanosPerUnit;
  const binary = format === 'BinarySI' && nanos % nanosPerUnit === 0n && (units >= 1024n || units <= -1024n);
  if (binary) return formatBinary(units);
  return formatDecimal(format === 'BinarySI' ? { nanos, format: 'DecimalSI' } : quantity);
}

/** Negative if `a` is less than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos === b.nanos ? 0 : a.nanos < b.nanos ? -1 : 1;
}

/** In the format of `a`, or of `b` if `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** In the format of `a`, or of `b` if `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** Whole units (bytes, cores, …) as a quantity. */
export function quantityOfUnits(units: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nanos: BigInt(units) * nanosPerUnit, format };
}

function roundedUp(nanos: bigint, step: bigint): bigint {
  return nanos < 0n ? -divideUp(-nanos, step) : divideUp(nanos, step);
}

/** Whole units, rounded away from zero. */
export function unitsOf({ nanos }: Quantity): bigint {
  return roundedUp(nanos, nanosPerUnit);
}

/** Thousandths, rounded away from zero: the millicores of a CPU quantity. */
export function milliUnitsOf({ nanos }: Quantity): bigint {
  return roundedUp(nanos, 10n ** 6n);
}
