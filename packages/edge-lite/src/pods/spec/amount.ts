import { milliUnitsOf, parseQuantity, unitsOf } from '@selvedge/kube';

/** Thousandths of a quantity, rounded up; 0 if there is none. */
export function milliValue(quantity: string | undefined): bigint {
  return quantity === undefined ? 0n : milliUnitsOf(parseQuantity(quantity));
}

/** Whole units of a quantity, rounded up; 0 if there is none. */
export function wholeValue(quantity: string | undefined): bigint {
  return quantity === undefined ? 0n : unitsOf(parseQuantity(quantity));
}
