import type { KubeObject } from '@selvedge/kube';
import { type ShowObject, parseJson, rewriteTable, withServedVersion } from './rewrite-list.ts';

type Json = Readonly<Record<string, unknown>>;

function shown(type: unknown, object: Json, show: ShowObject): Json {
  if (type === 'ERROR') return object;
  if (object['kind'] === 'Table') return rewriteTable(object, show);
  if (type === 'BOOKMARK') return withServedVersion(object);
  return { ...show(object as unknown as KubeObject) };
}

/** One line of a watch, as it is shown. */
export function rewriteEvent(line: string, show: ShowObject): string {
  const event = parseJson(line);
  const object = event['object'] as Json | undefined;
  if (object === undefined) return line;
  return JSON.stringify({ ...event, object: shown(event['type'], object, show) });
}
