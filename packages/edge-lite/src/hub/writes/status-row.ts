import { isDeepStrictEqual } from 'node:util';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import { statusError } from '../answers/index.ts';
import { jsonResponse } from '../forward/index.ts';
import { isHeartbeat } from '../replica/index.ts';
import type { Replica } from '../replica/types.ts';
import type { HubResponse } from '../request.ts';
import { type ChangeDeps, changedObject } from './change.ts';
import type { Heartbeats } from './heartbeats.ts';
import { type Row, type Write, requestBody, shownObject } from './write.ts';

export interface StatusRowDeps extends ChangeDeps {
  readonly replica: Pick<Replica, 'putOverlay' | 'reader'>;
}

type Status = Readonly<Record<string, unknown>>;
interface WithStatus extends KubeObject {
  readonly status?: Status | undefined;
}

/** The API server sets it when it makes the pod; a status without it does not remove it. */
const immutableInStatus = 'qosClass';

const metadataInStatus = ['annotations', 'finalizers', 'labels'] as const;

/** Whether a status write changes metadata, too. What a whole object leaves out it leaves alone. */
function changesMetadata({ about }: Write, shown: KubeObject, next: KubeObject): boolean {
  return metadataInStatus.some((name) => {
    const [before, after] = [shown.metadata[name], next.metadata?.[name]];
    return (after !== undefined || about.verb === 'patch') && !isDeepStrictEqual(before, after);
  });
}

/**
 * Of a status write the status counts, and the metadata, which is not laid over: undefined if it changes that. Source:
 * `pkg/registry/core/{node,pod}/strategy.go`.
 */
function changedStatus(write: Write, shown: KubeObject, deps: StatusRowDeps): KubeObject | undefined {
  const next = changedObject(write, shown, deps);
  return changesMetadata(write, shown, next) ? undefined : withStatus(shown, next);
}

function withStatus(shown: WithStatus, next: WithStatus): WithStatus {
  const kept = shown.status?.[immutableInStatus];
  const status = kept === undefined ? next.status : { [immutableInStatus]: kept, ...next.status };
  const { status: _status, ...rest } = shown;
  return status === undefined ? rest : { ...rest, status };
}

/** PUT or PATCH of a status: laid over the object, on disk before it is acknowledged; nothing new is not written. */
function answerStatus(write: Write, shown: KubeObject, deps: StatusRowDeps): HubResponse | undefined {
  const current = changedStatus(write, shown, deps);
  if (current === undefined) return undefined;
  if (isDeepStrictEqual(current, shown)) return jsonResponse(200, shown);
  const { resource, at } = write;
  return jsonResponse(200, deps.replica.putOverlay({ resource, at, current }).json);
}

const isStatusWrite = ({ about, request }: Write): boolean =>
  about.subresource === 'status' &&
  (about.verb === 'update' || about.verb === 'patch') &&
  request.caller.kind === 'node';

/** The answer if the status would say what it said; undefined if not, or if the API server shall say what is wrong. */
function answerHeartbeat(write: Write, deps: StatusRowDeps): HubResponse | undefined {
  const shown = shownObject(deps.replica, write.resource, write.at);
  if (shown === undefined) return undefined;
  try {
    const current = changedStatus(write, shown, deps);
    if (current === undefined) return undefined;
    const beats = isHeartbeat(write.resource, JSON.stringify(shown), JSON.stringify(current));
    return beats ? jsonResponse(200, current) : undefined;
  } catch (error) {
    if (error instanceof SelvedgeError) return undefined;
    throw error;
  }
}

/** Whether the kubelet says in it that it lives: the hub itself writes a condition of its own there, which tells nobody that. */
function isFromKubelet({ request, about, resource, at }: Write, deps: ChangeDeps): boolean {
  const body = requestBody(request);
  const bare: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: at.name } };
  try {
    const said = about.verb === 'patch' ? deps.applyPatchBody(resource, bare, body) : deps.decodeBody(body);
    const { conditions = [] } = (said as Node).status ?? {};
    return conditions.some(
      ({ type, lastHeartbeatTime }) => type === 'Ready' && lastHeartbeatTime !== undefined,
    );
  } catch (error) {
    if (error instanceof SelvedgeError) return false;
    throw error;
  }
}

export interface NodeStatusRowDeps extends StatusRowDeps {
  readonly heartbeats: Heartbeats;
}

/** The status of the own Node. */
export function createNodeStatusRow(options: { readonly nodeName: string }, deps: NodeStatusRowDeps): Row {
  const { heartbeats } = deps;
  return {
    name: 'node-status',
    laysOver: true,
    accepts: (write) =>
      isStatusWrite(write) && write.resource === 'v1/nodes' && write.at.name === options.nodeName,
    async answer(write) {
      const shown = shownObject(deps.replica, write.resource, write.at);
      return shown === undefined ? undefined : answerStatus(write, shown, deps);
    },
    spare: (write) => (heartbeats.due ? undefined : answerHeartbeat(write, deps)),
    heard(write, { status }) {
      if (status < 300 && isFromKubelet(write, deps)) heartbeats.told();
    },
  };
}

/** The status of a pod of this node; of no other, as NodeRestriction says it. */
export function createPodStatusRow(options: { readonly nodeName: string }, deps: StatusRowDeps): Row {
  return {
    name: 'pod-status',
    laysOver: true,
    accepts: (write) => isStatusWrite(write) && write.resource === 'v1/pods',
    async answer(write) {
      const shown: Pod | undefined = shownObject(deps.replica, write.resource, write.at);
      if (shown === undefined) return undefined;
      if (shown.spec?.nodeName !== options.nodeName) {
        const why = `node "${options.nodeName}" can only update pod status for pods with spec.nodeName set to itself`;
        throw statusError('Forbidden', `pods "${write.at.name}" is forbidden: ${why}`);
      }
      return answerStatus(write, shown, deps);
    },
  };
}
