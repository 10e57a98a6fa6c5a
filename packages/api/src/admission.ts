/** Names of what cloud-manager's webhook needs in the cluster. Its rights are limited to them. */
export const managerAdmission = {
  /** The ValidatingWebhookConfiguration that registers it. */
  configuration: 'admission.selvedge.io',
  /** The Secret in its namespace with its certificate, key and authority, where cloud-manager makes them. */
  secret: 'cloud-manager-webhook',
  /** The field manager of both, which has the authorities in the registration and nothing else of it. */
  fieldManager: 'selvedge-webhook-certificates',
} as const;
