import type { Change, ResourceReader } from './types.ts';

/** Changes read at a time, at most. */
const changesAtATime = 1_000;

/** A place in the history of one resource: at first where it ends. */
export class ChangeCursor {
  readonly #reader: ResourceReader;
  #version: bigint;

  constructor(reader: ResourceReader) {
    this.#reader = reader;
    this.#version = reader.version;
  }

  /**
   * Takes all that changed since, in its order, however much it is. `expired` when something may be missing: then the
   * place is the end, and what is shown has to be read anew.
   */
  catchUp(take: (change: Change) => void): 'there' | 'expired' {
    for (;;) {
      const changes = this.#reader.changesAfter(this.#version, changesAtATime);
      if (changes === 'expired') {
        this.#version = this.#reader.version;
        return 'expired';
      }
      // Fewer than were asked for are not the last: they may be large.
      if (changes.length === 0) return 'there';
      for (const change of changes) {
        this.#version = change.version;
        take(change);
      }
    }
  }
}
