import { managerAdmission } from '@selvedge/api';
import {
  type KubeClient,
  type ValidatingWebhookConfiguration as WebhookConfiguration,
  applyPatch,
  resources,
} from '@selvedge/kube';

const encoded = (bundle: string): string => Buffer.from(bundle).toString('base64');

/** Whether API servers are told of these authorities and no others. */
export const isTold = ({ webhooks = [] }: WebhookConfiguration, bundle: string): boolean =>
  webhooks.every(({ clientConfig }) => clientConfig?.caBundle === encoded(bundle));

/**
 * Tells API servers whom to trust; the rest of the registration stays as it is. `Conflict` when it is another object by
 * now. The authorities are ours whoever set them: the only field of it that is.
 */
export async function tell(
  client: Pick<KubeClient, 'patch'>,
  { metadata, webhooks = [] }: WebhookConfiguration,
  { bundle, signal }: { readonly bundle: string; readonly signal: AbortSignal },
): Promise<WebhookConfiguration> {
  const clientConfig = { caBundle: encoded(bundle) };
  const patch = applyPatch({
    metadata: { uid: metadata.uid },
    webhooks: webhooks.map(({ name }) => ({ name, clientConfig })),
  });
  const options = {
    patch,
    fieldManager: managerAdmission.fieldManager,
    force: true,
    timeoutMs: 10_000,
    signal,
  };
  return client.patch(
    resources.validatingWebhookConfigurations,
    { name: managerAdmission.configuration },
    options,
  );
}
