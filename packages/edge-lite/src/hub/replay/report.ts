import { explain } from '@selvedge/kit';
import type { EventContent } from '@selvedge/kube';
import type { OverlayEntry } from '../replica/types.ts';
import type { Replayed } from './replay-one.ts';

/** Why a local change was given up; undefined when it was not. */
export function lossOf(replayed: Replayed): string | undefined {
  switch (replayed.kind) {
    case 'sent':
    case 'same':
      return undefined;
    case 'gone':
      return 'the object was deleted meanwhile';
    case 'replaced':
      return 'another object has its name now';
    case 'refused':
      return `the API server refused it: ${explain(replayed.error)}`;
  }
}

export function lossEvent({ resource, namespace, name, sinceMs }: OverlayEntry, loss: string): EventContent {
  const object = namespace === '' ? name : `${namespace}/${name}`;
  const since = `${new Date(sinceMs).toISOString().slice(0, 19)}Z`;
  const message = `The status of ${resource} ${object}, changed here since ${since}, was given up: ${loss}`;
  return { type: 'Warning', reason: 'StatusGivenUp', message };
}
