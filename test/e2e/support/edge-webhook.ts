import type { Bed } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { newAuthority, openAuthority } from '../../bed/pki/certificate.ts';
import { pod, webServer } from './pods.ts';

const name = 'hook';
const port = 8_443;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What the webhook says of a ConfigMap that it does not want. Source: agnhost, `webhook/configmap.go`. */
export const denial = 'the configmap contains unwanted key and value';

/** A ConfigMap that is looked at under this policy. */
export const configMap = (policy: 'Fail' | 'Ignore', wanted: boolean): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { generateName: 'looked-at-', labels: { policy } },
  data: wanted ? {} : { 'webhook-e2e-test': 'webhook-disallow' },
});

function webhookPod(node: string): object {
  const container = webServer({
    args: [
      'webhook',
      `--port=${port}`,
      '--tls-cert-file=/tls/tls.crt',
      '--tls-private-key-file=/tls/tls.key',
    ],
    ports: [{ containerPort: port }],
    readinessProbe: { httpGet: { path: '/readyz', port, scheme: 'HTTPS' }, periodSeconds: 1 },
    volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
  });
  const volumes = [{ name: 'tls', secret: { secretName: name } }];
  const labels = { app: name };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...pod({ name: `${name}-${node}`, node, labels, volumes, containers: [container] }),
  };
}

function registration(policy: 'Fail' | 'Ignore', ca: string): object {
  return {
    name: `${policy.toLowerCase()}.${name}.test`,
    failurePolicy: policy,
    timeoutSeconds: 4,
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    objectSelector: { matchLabels: { policy } },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    clientConfig: {
      caBundle: base64(ca),
      service: { namespace: 'default', name, path: '/configmaps' },
    },
  };
}

/** A validating webhook that pods of these nodes serve behind a Service, registered once with each failure policy. */
export async function createEdgeWebhook(bed: Bed, nodes: readonly string[]): Promise<void> {
  const authority = await openAuthority(
    await newAuthority('authority of the webhook', systemClock.now()),
    systemClock,
  );
  const { certificate, key } = await authority.issue({
    commonName: name,
    dnsNames: [`${name}.default.svc`],
    usages: ['server'],
  });
  const items = [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name },
      stringData: { 'tls.crt': certificate, 'tls.key': key },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 443, targetPort: port }] },
    },
    ...nodes.map(webhookPod),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks: (['Fail', 'Ignore'] as const).map((policy) =>
        registration(policy, authority.keyPair.certificate),
      ),
    },
  ];
  await bed.kubectl(['create', '--filename=-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
}
