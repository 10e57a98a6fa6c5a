import { type EdgeNode, edgeNodes } from '@selvedge/api';
import { type KubeObject, type Resource, defineResource } from '@selvedge/kube';

export type EdgeNodeObject = KubeObject & EdgeNode;

export const edgeNodeResource: Resource<EdgeNodeObject> = defineResource<EdgeNodeObject>(edgeNodes);

const userPrefix = 'system:node:';

/** The node whose user that is. Source: kubernetes.io "Using Node Authorization". */
export function nodeOfUser(username: string): string | undefined {
  return username.startsWith(userPrefix) && username.length > userPrefix.length
    ? username.slice(userPrefix.length)
    : undefined;
}
