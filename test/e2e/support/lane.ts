import { inject } from 'vitest';

/** The name of the bed of this worker, for `Bed.open`. Files that run at the same time never share one. */
export function laneBed(): string {
  const lane = Number(process.env['VITEST_POOL_ID'] ?? '1');
  const name = inject('beds')[lane - 1];
  if (name === undefined) throw new TypeError(`no bed was made for worker ${lane}`);
  return name;
}
