/** A ValidatingAdmissionPolicy and what puts it in force, as manifests. */
export interface DeletionPolicy {
  readonly policy: object;
  readonly binding: object;
}

const apiVersion = 'admissionregistration.k8s.io/v1';

/**
 * Lets objects of a resource of ours be deleted only while the CEL `expression` holds of `oldObject`; `message` says what to
 * do. The API server decides it by itself: with none of our programs running, and for the garbage collector too. Source:
 * kubernetes.io "Validating Admission Policy".
 */
export function deletionPolicy(
  resource: string,
  { expression, message }: { readonly expression: string; readonly message: string },
): DeletionPolicy {
  const name = `${resource}.selvedge.io`;
  const deletion = {
    apiGroups: ['selvedge.io'],
    apiVersions: ['*'],
    operations: ['DELETE'],
    resources: [resource],
  };
  return {
    policy: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [deletion] },
        validations: [{ expression, message, reason: 'Forbidden' }],
      },
    },
    binding: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  };
}
