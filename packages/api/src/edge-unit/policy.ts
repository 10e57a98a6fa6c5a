import { edgeUnits } from './edge-unit.ts';

const name = `${edgeUnits.plural}.selvedge.io`;
const apiVersion = 'admissionregistration.k8s.io/v1';

/**
 * A unit with members is not deleted unless it says what becomes of them. The API server decides it by itself, at the
 * moment of the request; for what gets past it (members that came just now) there is the finalizer.
 */
export const edgeUnitPolicy = {
  apiVersion,
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: ['selvedge.io'],
          apiVersions: ['*'],
          operations: ['DELETE'],
          resources: [edgeUnits.plural],
        },
      ],
    },
    validations: [
      {
        expression:
          "(has(oldObject.spec.deletionPolicy) && oldObject.spec.deletionPolicy == 'release') || !has(oldObject.status) || !has(oldObject.status.members) || size(oldObject.status.members) == 0",
        message:
          'the EdgeUnit has members: take them out first, or set spec.deletionPolicy to release to have them lose what the unit gave them',
        reason: 'Forbidden',
      },
    ],
  },
} as const;

export const edgeUnitPolicyBinding = {
  apiVersion,
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName: name, validationActions: ['Deny'] },
} as const;
