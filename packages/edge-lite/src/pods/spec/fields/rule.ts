/** What this node makes of a field. */
export interface Rule {
  readonly support: 'supported' | 'ignored' | 'refused';
  /** What a person should know. */
  readonly note?: string;
  /** The values that are supported; all if absent. */
  readonly only?: readonly unknown[];
  /** The names that its map may hold; all if absent. */
  readonly names?: RegExp;
  /** What is below: of the object, or of each item of the list. */
  readonly fields?: Readonly<Record<string, Rule>>;
}

/** A rule for every field of `T`, so that a field which the API gains is not passed over. */
export type Rules<T> = Readonly<Record<keyof T, Rule>>;

export const supported: Rule = { support: 'supported' };

export function noted(note: string): Rule {
  return { support: 'supported', note };
}

export function only(...values: readonly unknown[]): Rule {
  return { support: 'supported', only: values };
}

export function below(fields: Readonly<Record<string, Rule>>): Rule {
  return { support: 'supported', fields };
}

export function ignored(note: string): Rule {
  return { support: 'ignored', note };
}

export function refused(note: string): Rule {
  return { support: 'refused', note };
}
