/** cloud-manager's webhook: what it needs in the cluster, to which its rights are limited, and what API servers ask it. */
export const managerAdmission = {
  /** The ValidatingWebhookConfiguration that registers it. */
  configuration: 'admission.selvedge.io',
  /** The Secret in its namespace with its certificate, key and authority, where cloud-manager makes them. */
  secret: 'cloud-manager-webhook',
  /** The field manager of both, which has the authorities in the registration and nothing else of it. */
  fieldManager: 'selvedge-webhook-certificates',
  /** Where API servers ask. */
  paths: {
    ban: '/admission/ban',
    guard: '/admission/guard',
    identity: '/admission/identity',
    validation: '/admission/validation',
  },
  /**
   * Whose work deletions by force are: pod GC deletes pods of nodes that are out of service or gone, the namespace controller
   * those of a namespace that ends, the garbage collector those whose owner is gone. Without
   * `--use-service-account-credentials` all of them are kube-controller-manager itself.
   */
  exemptFromGuard: [
    'system:kube-controller-manager',
    'system:serviceaccount:kube-system:pod-garbage-collector',
    'system:serviceaccount:kube-system:namespace-controller',
    'system:serviceaccount:kube-system:generic-garbage-collector',
  ],
} as const;
