import { invalidSelector } from './label-syntax.ts';

export interface FieldRequirement {
  /** `metadata.name`, `spec.nodeName`, … */
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** All of them must hold; none selects everything. Sorted. */
export type FieldRequirements = readonly FieldRequirement[];

/** Cuts at commas that no backslash protects. */
function termsOf(text: string): readonly string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function unescape(text: string, value: string): string {
  if (!/^(?:[^\\,=]|\\[\\,=])*$/s.test(value)) {
    throw invalidSelector(text, `value ${JSON.stringify(value)} has a character that needs a backslash`);
  }
  return value.replaceAll(/\\(.)/gs, '$1');
}

function parseTerm(text: string, term: string): FieldRequirement {
  const match = /^([^=!]*(?:!(?!=)[^=!]*)*)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw invalidSelector(text, `${JSON.stringify(term)} is not field=value`);
  const [, field = '', operator, value = ''] = match;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescape(text, value) };
}

/**
 * Parses `a=b,c!=d`; values escape `,`, `=` and `\` with a backslash. Throws `Invalid`.
 * Source: kubernetes.io "Field Selectors".
 */
export function parseFieldSelector(text: string): FieldRequirements {
  return termsOf(text)
    .toSorted()
    .filter((term) => term !== '')
    .map((term) => parseTerm(text, term))
    .filter(({ field, value }) => field !== '' || value !== '');
}

/** `fieldOf` gives a field's value, the empty string if the object has none. */
export function matchesFields(requirements: FieldRequirements, fieldOf: (field: string) => string): boolean {
  return requirements.every(
    ({ field, operator, value }) => (fieldOf(field) === value) === (operator === '='),
  );
}

/** The string form, which `parseFieldSelector` reads back to the same requirements. */
export function formatFieldSelector(requirements: FieldRequirements): string {
  return requirements
    .map(({ field, operator, value }) => `${field}${operator}${value.replaceAll(/[\\,=]/g, '\\$&')}`)
    .join(',');
}
