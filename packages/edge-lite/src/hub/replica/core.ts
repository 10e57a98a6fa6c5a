import type { ReplicaStore } from '../../store/index.ts';
import { ChangeSet } from './change-set.ts';
import { keyOf } from './content.ts';
import { Ledger, type LedgerDeps, type LedgerOptions } from './ledger.ts';
import type { OverlayDocument } from './overlay-document.ts';
import { type OverlayCaps, OverlayIndex } from './overlays.ts';
import { type PresentDeps, createPresent } from './present.ts';
import type { CoverageRecord, HeldResource, ObjectName } from './types.ts';
import { SelvedgeError } from '@selvedge/kit';

export interface CoreOptions extends LedgerOptions, OverlayCaps {}
export interface CoreDeps extends LedgerDeps, PresentDeps {
  readonly store: ReplicaStore;
}

/** What upstream changes and local changes have in common. */
export class Core {
  readonly ledger: Ledger;
  readonly overlayIndex: OverlayIndex;
  readonly #present: ReturnType<typeof createPresent>;

  constructor(options: CoreOptions, deps: CoreDeps) {
    this.ledger = new Ledger(options, deps);
    this.overlayIndex = new OverlayIndex(options, deps.store.file);
    this.#present = createPresent(deps);
  }

  changeSet(resource: HeldResource): ChangeSet {
    return new ChangeSet(resource, {
      bank: this.ledger.bank(resource),
      order: this.ledger.track(resource).order,
      present: (base, overlay) => this.#present(resource, base, overlay),
      overlay: (at) => this.overlay(resource, at),
    });
  }

  overlay(resource: HeldResource, { namespace, name }: ObjectName): OverlayDocument | undefined {
    const key = { resource, namespace, name };
    if (!this.overlayIndex.has(key)) return undefined;
    const json = this.ledger.bank(resource).overlay(key);
    return json === undefined ? undefined : (JSON.parse(json) as OverlayDocument);
  }

  coverage(id: number): CoverageRecord {
    const coverage = this.ledger.coverages.get(id);
    if (coverage !== undefined) return coverage;
    throw new SelvedgeError(`there is no coverage ${id}`, { code: 'NotFound' });
  }

  coveragesOf(resource: HeldResource): readonly CoverageRecord[] {
    return [...this.ledger.coverages.values()].filter((coverage) => coverage.resource === resource);
  }
}

export const describeObject = (resource: HeldResource, at: ObjectName): string => `${resource} ${keyOf(at)}`;
