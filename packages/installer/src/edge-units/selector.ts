import type { EdgeUnitSpec } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { parseLabelSelector } from '@selvedge/kube';

type NodeSelector = NonNullable<NonNullable<EdgeUnitSpec['members']>['nodeSelector']>;
type Expression = NonNullable<NodeSelector['matchExpressions']>[number];

function expressionOf(
  text: string,
  { key, operator, values }: ReturnType<typeof parseLabelSelector>[number],
): Expression {
  if (operator === 'Gt' || operator === 'Lt') {
    throw new SelvedgeError(`selector ${JSON.stringify(text)}: < and > are not supported`, {
      code: 'Invalid',
      hint: 'use =, !=, in (…), notin (…), KEY or !KEY',
    });
  }
  return values.length === 0 ? { key, operator } : { key, operator, values: [...values] };
}

const isEqual = ({ operator, values = [] }: Expression): boolean => operator === 'In' && values.length === 1;

/** A selector in its string form as the object that it is in an EdgeUnit. Throws `Invalid`. */
export function nodeSelectorOf(text: string): NodeSelector {
  const all = parseLabelSelector(text).map((requirement) => expressionOf(text, requirement));
  const equal = all.filter(isEqual).map(({ key, values = [] }) => [key, values[0] ?? ''] as const);
  const matchLabels = Object.fromEntries(equal);
  // A key that is wanted to have two values matches nothing, and shall go on doing so.
  const matchExpressions = all.filter((one) => !isEqual(one) || matchLabels[one.key] !== one.values?.[0]);
  return {
    ...(equal.length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  };
}
