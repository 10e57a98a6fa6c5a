import { SelvedgeError } from '@selvedge/kit';

export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, each once. One integer for `Gt` and `Lt`, none for `Exists` and `DoesNotExist`. */
  readonly values: readonly string[];
}

/** Source: kubernetes.io "Labels and Selectors", syntax and character set. */
const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const domainPattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const maxDomainLength = 253;

export function isLabelKey(key: string): boolean {
  const [first = '', second, ...more] = key.split('/');
  if (more.length > 0) return false;
  if (second === undefined) return namePattern.test(first);
  return first.length <= maxDomainLength && domainPattern.test(first) && namePattern.test(second);
}

export function isLabelValue(value: string): boolean {
  return value === '' || namePattern.test(value);
}

export function invalidSelector(text: string, why: string): SelvedgeError {
  return new SelvedgeError(`selector ${JSON.stringify(text)}: ${why}`, { code: 'Invalid' });
}
