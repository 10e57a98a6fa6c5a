import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { CoverageSpec } from '../replica/types.ts';
import { specKey } from './spec.ts';
import type { Sponsor } from './types.ts';

/** What a coverage must know after a restart beside its record. */
export interface Remembered {
  /** Who may run it beside the node. */
  readonly sponsors: readonly Sponsor[];
  /** Who ran it last and was not refused since: its identity has shown that it may read it. */
  readonly running?: Sponsor;
  /** How long nobody has held it while the cloud was in reach, in milliseconds; coarse. */
  readonly unusedMs: number;
  /** Whether it was held for longer than a look takes. Undefined: nobody wrote it down. */
  readonly followed?: boolean;
  /** The user who opened it, if he has a cap of his own. */
  readonly openedBy?: string;
}

const coverageKind: RuntimeKind<Remembered> = { name: 'coverage' };

export interface CoverageMemory {
  get(spec: CoverageSpec): Remembered;
  put(spec: CoverageSpec, what: Remembered): void;
  forget(spec: CoverageSpec): void;
}

/** Not durable: what a power cut takes is learned again, at worst a sponsor is asked in vain. */
export function createCoverageMemory(documents: RuntimeRepository): CoverageMemory {
  return {
    get: (spec) => documents.get(coverageKind, specKey(spec)) ?? { sponsors: [], unusedMs: 0 },
    put(spec, document) {
      documents.put(coverageKind, { key: specKey(spec), document }, { durable: false });
    },
    forget: (spec) => void documents.delete(coverageKind, specKey(spec)),
  };
}
