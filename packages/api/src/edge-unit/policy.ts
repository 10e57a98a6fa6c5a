import { deletionPolicy } from '../deletion-policy.ts';
import { edgeUnits } from './edge-unit.ts';

/**
 * A unit with members is not deleted unless it says what becomes of them. For what gets past it (members that came just now)
 * there is the finalizer.
 */
export const { policy: edgeUnitPolicy, binding: edgeUnitPolicyBinding } = deletionPolicy(edgeUnits.plural, {
  expression:
    "(has(oldObject.spec.deletionPolicy) && oldObject.spec.deletionPolicy == 'release') || !has(oldObject.status) || !has(oldObject.status.members) || size(oldObject.status.members) == 0",
  message:
    'the EdgeUnit has members: take them out first, or set spec.deletionPolicy to release to have them lose what the unit gave them',
});
