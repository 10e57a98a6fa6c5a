import { deletionPolicy } from '../deletion-policy.ts';
import { edgeNodes } from './edge-node.ts';

/** A banned EdgeNode is not deleted: the node would be welcome again, without a word. */
export const { policy: edgeNodePolicy, binding: edgeNodePolicyBinding } = deletionPolicy(edgeNodes.plural, {
  expression: '!(has(oldObject.spec) && has(oldObject.spec.banned) && oldObject.spec.banned)',
  message:
    'the EdgeNode is banned, and without it the node would not be: set spec.banned to false before you delete it',
});
