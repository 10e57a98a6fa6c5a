import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';
import type { ContainerRecord, Runtime } from '../../runtime/index.ts';
import { type PodSource, containerSpec, observed } from '../pods.ts';
import type { KubeletHandler, KubeletRequest, KubeletRoute } from '../types.ts';
import { containerInstance } from './container-instance.ts';
import { logOptions } from './log-options.ts';
import { type Writer, readLog } from './read-log.ts';

export interface LogDeps {
  readonly source: PodSource;
  readonly runtime: Pick<Runtime, 'observe' | 'onPod'>;
  readonly clock: Clock;
}

const notFound = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'NotFound' });

function podOf({ params }: KubeletRequest, source: PodSource): Pod {
  const { namespace = '', pod: name = '', container = '' } = params;
  const pod = source.list('pods', namespace).find(({ metadata }) => metadata.name === name);
  if (pod === undefined) throw notFound(`pod "${name}" does not exist`);
  if (containerSpec(pod, container) === undefined) {
    throw notFound(`container "${container}" not found in pod "${name}"`);
  }
  return pod;
}

type Find = (signal: AbortSignal) => Promise<ContainerRecord | undefined>;

const finder =
  (pod: Pod, id: string, { runtime }: LogDeps): Find =>
  async (signal) =>
    (await observed(runtime, pod, signal)).containers.find((one) => one.id === id);

/** Asks the runtime when something of the pod changed, and until it has answered. */
function writerOf({ metadata }: Pod, find: Find, { runtime }: LogDeps): Writer {
  let changes = 0;
  let known = { after: -1, ended: false };
  return {
    async ended(signal) {
      const after = changes;
      if (known.after === after) return known.ended;
      try {
        known = { after, ended: (await find(signal))?.state.kind !== 'running' };
      } catch (error) {
        signal.throwIfAborted();
        if (!hasCode(error, 'Unavailable') && !hasCode(error, 'DeadlineExceeded')) throw error;
      }
      return known.ended;
    },
    onChange: (changed) =>
      runtime.onPod((uid) => {
        if (uid !== metadata.uid) return;
        changes += 1;
        changed();
      }),
  };
}

/** The log of a container, from its files. Source: kubelet `getContainerLogs`, `GetKubeletContainerLogs`. */
export function logRoutes(deps: LogDeps): readonly KubeletRoute[] {
  const handle: KubeletHandler = async (request) => {
    const { params, query, signal } = request;
    const options = logOptions(query, deps.clock.now());
    const pod = podOf(request, deps.source);
    const id = containerInstance(pod, params['container'] ?? '', options.previous);
    const find = finder(pod, id, deps);
    const path = (await find(signal))?.logPath ?? '';
    if (path === '') {
      const message = `unable to retrieve container logs for containerd://${id}`;
      throw new SelvedgeError(message, { code: 'Invalid' });
    }
    const writer = writerOf(pod, find, deps);
    const body = readLog({ ...options, path }, { writer, clock: deps.clock }, signal);
    // It has begun and found its files before anything is answered.
    await body.next();
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
  };
  return [
    {
      kind: 'answer',
      methods: ['GET'],
      path: '/containerLogs/{namespace}/{pod}/{container}',
      longRunning: (query) => logOptions(query, deps.clock.now()).follow,
      handle,
    },
  ];
}
