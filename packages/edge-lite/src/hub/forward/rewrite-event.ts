import type { KubeObject } from '@selvedge/kube';
import { type Shows, parseJson, rewriteTable, withServedVersion } from './rewrite-list.ts';

type Json = Readonly<Record<string, unknown>>;
interface Event {
  readonly type: unknown;
  readonly object: Json;
}

function shown({ type, object }: Event, shows: Shows): Json {
  if (type === 'ERROR') return object;
  if (object['kind'] === 'Table') return rewriteTable(object, shows);
  if (type === 'BOOKMARK') return withServedVersion(object, shows.version);
  return { ...shows.object(object as unknown as KubeObject) };
}

/** One line of a watch, as it is shown. */
export function rewriteEvent(line: string, shows: Shows): string {
  const event = parseJson(line);
  const object = event['object'] as Json | undefined;
  if (object === undefined) return line;
  return JSON.stringify({ ...event, object: shown({ type: event['type'], object }, shows) });
}
