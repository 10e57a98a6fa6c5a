import type { Node } from '@selvedge/kube/types';

export interface NodeEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const readyOf = ({ status }: Node): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const bootOf = ({ status }: Node): string => status?.nodeInfo?.bootID ?? '';
const nameOf = ({ metadata }: Node): string => metadata.name ?? '';

function rebooted(before: Node, after: Node): readonly NodeEvent[] {
  if (bootOf(before) === '' || bootOf(before) === bootOf(after)) return [];
  const message = `Node ${nameOf(after)} has been rebooted, boot id: ${bootOf(after)}`;
  return [{ type: 'Warning', reason: 'Rebooted', message }];
}

function readiness(before: Node, after: Node): readonly NodeEvent[] {
  const ready = readyOf(after);
  if (ready === undefined || ready === readyOf(before)) return [];
  const reason = ready === 'True' ? 'NodeReady' : 'NodeNotReady';
  return [{ type: 'Normal', reason, message: `Node ${nameOf(after)} status is now: ${reason}` }];
}

/** What a person should be told of the step from one Node status to the next, in the words of the kubelet. Pure. */
export function nodeEvents(before: Node, after: Node): readonly NodeEvent[] {
  return [...rebooted(before, after), ...readiness(before, after)];
}
