import { SelvedgeError } from '@selvedge/kit';
import type { PodObserved, Runtime } from '../../runtime/index.ts';
import { type PodName, type PodSource, containerSpec, findPod, observed, runningContainer } from '../pods.ts';
import type { KubeletRequest, KubeletRoute, StreamRoute } from '../types.ts';
import { commandOf, portsOf, streamsOf } from './stream-options.ts';

export interface StreamingDeps {
  readonly source: PodSource;
  readonly runtime: Pick<Runtime, 'observe' | 'prepareExec' | 'prepareAttach' | 'preparePortForward'>;
}

const nameIn = ({ params }: KubeletRequest): PodName & { readonly container: string } => {
  const { namespace = '', pod = '', container = '', uid } = params;
  return { namespace, pod, container, uid };
};

async function exec(request: KubeletRequest, { source, runtime }: StreamingDeps): Promise<URL> {
  const { query, signal } = request;
  const streams = streamsOf(query);
  const command = commandOf(query);
  const { container, ...name } = nameIn(request);
  const pod = findPod(source, name);
  const { id } = runningContainer(await observed(runtime, pod, signal), container);
  return runtime.prepareExec({ id, command, ...streams }, signal);
}

/** Whether it has a terminal is the container's affair and was decided when it was made. */
async function attach(request: KubeletRequest, { source, runtime }: StreamingDeps): Promise<URL> {
  const { query, signal } = request;
  const streams = streamsOf(query);
  const { container, ...name } = nameIn(request);
  const pod = findPod(source, name);
  const { id } = runningContainer(await observed(runtime, pod, signal), container);
  const tty = containerSpec(pod, container)?.tty === true;
  return runtime.prepareAttach({ id, ...streams, tty, stderr: streams.stderr && !tty }, signal);
}

function sandboxOf({ sandboxes, namespace, name }: PodObserved): string {
  const sandbox = sandboxes.find(({ state }) => state === 'ready');
  if (sandbox !== undefined) return sandbox.id;
  throw new SelvedgeError(`pod not found (${JSON.stringify(`${name}_${namespace}`)})`, { code: 'NotFound' });
}

async function portForward(request: KubeletRequest, { source, runtime }: StreamingDeps): Promise<URL> {
  const { query, headers, signal } = request;
  const ports = portsOf(query, headers['upgrade']);
  const pod = findPod(source, nameIn(request));
  const sandboxId = sandboxOf(await observed(runtime, pod, signal));
  return runtime.preparePortForward({ sandboxId, ports }, signal);
}

const methods = ['GET', 'POST'];

/** `exec`, `attach` and `portForward`, each with the pod's uid in its path and without. */
export function streamingRoutes(deps: StreamingDeps): readonly KubeletRoute[] {
  const route = (
    path: string,
    locate: (request: KubeletRequest, deps: StreamingDeps) => Promise<URL>,
  ): StreamRoute => ({ kind: 'stream', methods, path, locate: (request) => locate(request, deps) });
  return [
    route('/exec/{namespace}/{pod}/{container}', exec),
    route('/exec/{namespace}/{pod}/{uid}/{container}', exec),
    route('/attach/{namespace}/{pod}/{container}', attach),
    route('/attach/{namespace}/{pod}/{uid}/{container}', attach),
    route('/portForward/{namespace}/{pod}', portForward),
    route('/portForward/{namespace}/{pod}/{uid}', portForward),
  ];
}
