import type { KubeObject } from '@selvedge/kube';
import {
  type ShowObject,
  type ShowVersion,
  parseJson,
  rewriteTable,
  withServedVersion,
} from './rewrite-list.ts';

type Json = Readonly<Record<string, unknown>>;
interface Event {
  readonly type: unknown;
  readonly object: Json;
}

function shown({ type, object }: Event, show: ShowObject, version: ShowVersion): Json {
  if (type === 'ERROR') return object;
  if (object['kind'] === 'Table') return rewriteTable(object, show, version);
  if (type === 'BOOKMARK') return withServedVersion(object, version);
  return { ...show(object as unknown as KubeObject) };
}

/** One line of a watch, as it is shown. */
export function rewriteEvent(line: string, show: ShowObject, version: ShowVersion): string {
  const event = parseJson(line);
  const object = event['object'] as Json | undefined;
  if (object === undefined) return line;
  return JSON.stringify({ ...event, object: shown({ type: event['type'], object }, show, version) });
}
