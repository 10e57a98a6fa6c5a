import type { Family, Labels, Sample } from '@selvedge/kit';

export type FamilySamples = Family & { readonly samples: readonly Sample[] };

/** A family with its samples; those without a value are left out. */
export function family(
  [name, type, help]: readonly [name: string, type: Family['type'], help: string],
  samples: readonly (readonly [labels: Labels, value: number | undefined, timestampMs?: number])[],
): FamilySamples {
  return {
    name,
    type,
    help,
    samples: samples.flatMap(([labels, value, timestampMs]) =>
      value === undefined ? [] : [{ suffix: '', labels, value, timestampMs }],
    ),
  };
}

/** Those in which something is. */
export const filled = (families: readonly FamilySamples[]): readonly FamilySamples[] =>
  families.filter(({ samples }) => samples.length > 0);
