import { inspect } from 'node:util';
import type { LogFields, Logger, LogLevel } from '@selvedge/kit';
import type { Pod, PodStatus } from '@selvedge/kube/types';
import { MemoryApi } from './pods-api.ts';
import { type EnginePlace, startEngine } from './pods-engine.ts';

/** An engine in a process of its own, so that it can be killed. Its API is the parent, which it talks to by messages. */

export type ToAgent =
  | { readonly kind: 'start'; readonly place: EnginePlace; readonly pods: readonly Pod[] }
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'gone'; readonly name: string };

export type FromAgent =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'status'; readonly uid: string; readonly status: PodStatus }
  | { readonly kind: 'terminated'; readonly uid: string; readonly name: string; readonly status: PodStatus };

const api = new MemoryApi();

const tell = (message: FromAgent): void => {
  process.send?.(message);
};

const line =
  (level: LogLevel) =>
  (text: string, fields: LogFields = {}): void =>
    tell({ kind: 'line', text: `${level}: ${text} ${inspect(fields, { breakLength: Infinity })}` });

/** What may matter to who reads of a failure. */
const log: Logger = {
  error: line('error'),
  warn: line('warn'),
  info: () => undefined,
  debug: () => undefined,
  with: () => log,
};

async function hear(message: ToAgent): Promise<void> {
  if (message.kind === 'pod') api.set(message.pod);
  if (message.kind === 'gone') api.forget(message.name);
  if (message.kind !== 'start') return;
  for (const pod of message.pods) api.set(pod);
  await startEngine(message.place, {
    source: api,
    sink: {
      put: ({ uid }, status) => tell({ kind: 'status', uid, status }),
      terminated: ({ uid, name }, status) => tell({ kind: 'terminated', uid, name, status }),
    },
    events: { record: () => undefined },
    log,
  });
}

process.on('message', (message: ToAgent) => {
  void hear(message);
});
