import { runWithLoss } from '@selvedge/installer/testing';
import { expect, it } from 'vitest';

const sweeps = (['apply', 'undo'] as const).flatMap((way) =>
  (['before', 'after'] as const).map((when) => ({ way, when })),
);

it.each(sweeps)(
  'a run that is lost $when any command on the way to $way goes on, and back',
  { timeout: 3_600_000 },
  async (sweep) => {
    for (let at = 0; ; at += 1) {
      const { wasLost, converted, before, after } = await runWithLoss({ ...sweep, at });
      expect([at, converted ?? true]).toEqual([at, true]);
      expect(after, `lost at command ${at}`).toEqual(before);
      if (wasLost) continue;
      expect(at).toBeGreaterThan(20);
      return;
    }
  },
);
