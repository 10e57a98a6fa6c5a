import type { UnitAppSpec } from '@selvedge/api';
import { hashOf } from '../rendering/index.ts';

/** What the clones of one revision are made from. Of the spec, what a rollout brings; the rest takes effect at once. */
export type RevisionContent = Pick<
  UnitAppSpec,
  'template' | 'service' | 'configMaps' | 'secrets' | 'overrides'
>;

/** A content that a UnitApp had or has. */
export interface Revision {
  /** Counted from 1. A content that comes back has the number that it had, while it is kept. */
  readonly number: number;
  /** Of the content. */
  readonly hash: string;
}

export function contentOf(spec: UnitAppSpec): RevisionContent {
  const { template, service, configMaps, secrets, overrides } = spec;
  return {
    template,
    ...(service === undefined ? {} : { service }),
    ...(configMaps === undefined ? {} : { configMaps }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(overrides === undefined ? {} : { overrides }),
  };
}

/** The same for the same content, in whatever order fields are written. */
function canonical(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Ten characters of `0-9a-z`, which can end the name of an object and be the value of a label. Pure. */
export const hashOfContent = (content: RevisionContent): string => hashOf(JSON.stringify(content, canonical));

export interface HistoryFacts {
  /** That are kept now, in any order. */
  readonly revisions: readonly Revision[];
  readonly spec: UnitAppSpec;
  /** That clones are made from, or a rollout needs: they stay whatever the limit. */
  readonly inUse: ReadonlySet<number>;
}

export interface HistoryPlan {
  /** What is to be rolled out. Undefined: `rollbackTo` names one that is not kept. */
  readonly wanted: Revision | undefined;
  /** To be kept before anything is made from it. */
  readonly create: Revision | undefined;
  /** Beyond the limit, the oldest first. */
  readonly remove: readonly Revision[];
}

const defaultLimit = 10;

/**
 * Which revision is wanted, and which are kept. A number is never given twice while the one that has it, or a later one, is
 * kept; the newest always is. Pure.
 */
export function planHistory({ revisions, spec, inUse }: HistoryFacts): HistoryPlan {
  const { revisionHistoryLimit = defaultLimit, rollbackTo } = spec;
  const last = Math.max(0, ...inUse, ...revisions.map(({ number }) => number));
  const hash = hashOfContent(contentOf(spec));
  const known = revisions.find((revision) => revision.hash === hash);
  const newest = known ?? { number: last + 1, hash };
  const wanted = rollbackTo === undefined ? newest : revisions.find(({ number }) => number === rollbackTo);
  const needed = new Set([...inUse, newest.number, wanted?.number, Math.max(last, newest.number)]);
  const old = revisions
    .filter(({ number }) => !needed.has(number))
    .toSorted((one, other) => one.number - other.number);
  return {
    wanted,
    create: known === undefined ? newest : undefined,
    remove: old.slice(0, Math.max(0, old.length - revisionHistoryLimit)),
  };
}
