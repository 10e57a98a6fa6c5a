import type { Cell, Column } from './types.ts';

/** A column by its name; `wide` is not shown unless asked for. */
export function column(
  name: string,
  options: { readonly type?: Column['type']; readonly format?: string; readonly wide?: boolean } = {},
): Column {
  return {
    name,
    type: options.type ?? 'string',
    format: options.format ?? '',
    description: '',
    priority: options.wide === true ? 1 : 0,
  };
}

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
};

export const ageColumn = column('Age');

/** `a,b,c`, or `<none>`. */
export function listed(values: readonly string[]): string {
  return values.length === 0 ? '<none>' : values.join(',');
}

/** `a=b,c=d` in order of the keys, or `<none>`. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return listed(pairs.toSorted());
}

export const orNone = (value: string | undefined): Cell =>
  value === undefined || value === '' ? '<none>' : value;
