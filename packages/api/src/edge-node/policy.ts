import { edgeNodes } from './edge-node.ts';

const name = `${edgeNodes.plural}.selvedge.io`;
const apiVersion = 'admissionregistration.k8s.io/v1';

/**
 * A banned EdgeNode is not deleted: the node would be welcome again, without a word. The API server decides it by
 * itself, so this holds with no cloud-manager running, and for the garbage collector too.
 */
export const edgeNodePolicy = {
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
          resources: [edgeNodes.plural],
        },
      ],
    },
    validations: [
      {
        expression: '!(has(oldObject.spec) && has(oldObject.spec.banned) && oldObject.spec.banned)',
        message:
          'the EdgeNode is banned, and without it the node would not be: set spec.banned to false before you delete it',
        reason: 'Forbidden',
      },
    ],
  },
} as const;

export const edgeNodePolicyBinding = {
  apiVersion,
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName: name, validationActions: ['Deny'] },
} as const;
