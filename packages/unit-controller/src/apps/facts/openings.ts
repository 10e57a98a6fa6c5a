import { BoundedMap, messageOf } from '@selvedge/kit';
import type { EdgeUnitObject } from '../../objects.ts';
import { type Windows, nextOpening, parseWindows } from '../../rollout/index.ts';

export type Opening =
  /** When the unit may be changed next; undefined: never. */
  | { readonly kind: 'opens'; readonly atMs: number | undefined }
  /** Its windows cannot be read: it is closed. */
  | { readonly kind: 'unreadable'; readonly why: string };

type Parsed = { readonly windows: Windows } | { readonly why: string };

/** Windows that are different; most units share a few. */
const maxWindows = 10_000;

/** Says when units may be changed. */
export class Openings {
  readonly #parsed = new BoundedMap<string, Parsed>({ capacity: maxWindows });

  of({ spec }: EdgeUnitObject, nowMs: number): Opening {
    const { maintenanceWindows = [] } = spec ?? {};
    if (maintenanceWindows.length === 0) return { kind: 'opens', atMs: nowMs };
    const text = JSON.stringify(maintenanceWindows);
    const parsed = this.#parsed.get(text) ?? this.#parse(text, maintenanceWindows);
    return 'why' in parsed
      ? { kind: 'unreadable', why: parsed.why }
      : { kind: 'opens', atMs: nextOpening(parsed.windows, nowMs) };
  }

  #parse(text: string, maintenanceWindows: Parameters<typeof parseWindows>[0]): Parsed {
    let parsed: Parsed;
    try {
      parsed = { windows: parseWindows(maintenanceWindows) };
    } catch (error) {
      parsed = { why: messageOf(error) };
    }
    this.#parsed.set(text, parsed);
    return parsed;
  }
}
