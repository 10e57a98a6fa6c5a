import { losingConversions, stoppingConversions, stoppingReverts } from '@selvedge/installer/testing';
import { describe, it } from 'vitest';

/** Each command of each run: a few hundred runs of a few hundred programs. */
describe.each(['before', 'after'] as const)(
  'whatever happens %s any command',
  { timeout: 3_600_000 },
  (at) => {
    const rounds = { at, from: 0, stride: 1 };

    it('a conversion whose machine is lost leaves the node as it was', () => losingConversions(rounds));

    it('a conversion that is stopped goes on, or is taken back', () => stoppingConversions(rounds));

    it('a revert that is stopped goes on, or the conversion does', () => stoppingReverts(rounds));
  },
);
