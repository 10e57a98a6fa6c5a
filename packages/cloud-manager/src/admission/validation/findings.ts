/** What is to be said about an object. */
export interface Findings {
  /** Why it cannot be used. */
  readonly problems: readonly string[];
  /** What is odd about it and does no harm. */
  readonly warnings: readonly string[];
}

export const nothing: Findings = { problems: [], warnings: [] };

export const joined = (...all: readonly Findings[]): Findings => ({
  problems: all.flatMap(({ problems }) => problems),
  warnings: all.flatMap(({ warnings }) => warnings),
});

export const problems = (...all: readonly (string | undefined)[]): Findings => ({
  problems: all.filter((one) => one !== undefined),
  warnings: [],
});

export const warnings = (...all: readonly (string | undefined)[]): Findings => ({
  problems: [],
  warnings: all.filter((one) => one !== undefined),
});
