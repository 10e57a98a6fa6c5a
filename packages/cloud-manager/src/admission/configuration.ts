import type { WebhookConfig } from '../config/index.ts';
import { exemptUsers } from './guard.ts';
import { banPath, guardPath } from './webhook.ts';

function clientConfig({ url, service }: WebhookConfig['reach'], ca: string, path: string): object {
  const caBundle = Buffer.from(ca).toString('base64');
  if (service !== undefined) return { service: { ...service, path }, caBundle };
  return { url: `${url?.replace(/\/$/, '')}${path}`, caBundle };
}

/** Deletions that take away what may be running still. Many pods are deleted by force by those whose work it is. */
const deletions = {
  name: 'deletions.guard.selvedge.io',
  rules: [
    { apiGroups: [''], apiVersions: ['*'], operations: ['DELETE'], resources: ['nodes', 'pods'], scope: '*' },
  ],
  matchConditions: [
    {
      name: 'by-force',
      expression:
        "request.resource.resource == 'nodes' || (has(request.options) && has(request.options.gracePeriodSeconds) && request.options.gracePeriodSeconds == 0)",
    },
    {
      name: 'not-exempt',
      expression: `!(request.userInfo.username in ${JSON.stringify(exemptUsers)})`,
    },
  ],
};

/**
 * The registration of the webhooks. Only writes of nodes are asked about, certificate requests of anybody, for a bootstrap
 * token asks in the name of a node, and deletions of nodes, and of pods by force. Fail-open: heartbeats are among the writes of nodes, so an outage of
 * cloud-manager would else be one of all nodes. Reviews of tokens and of access store nothing and are not asked about.
 * `ca`: PEM of who signed the webhook's certificate. Pure.
 */
export function webhookConfiguration(reach: WebhookConfig['reach'], ca: string): object {
  const common = {
    clientConfig: clientConfig(reach, ca, banPath),
    failurePolicy: 'Ignore',
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 2,
    admissionReviewVersions: ['v1'],
  };
  const fromNode = "request.userInfo.username.startsWith('system:node:')";
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'ban.selvedge.io' },
    webhooks: [
      {
        name: 'writes.ban.selvedge.io',
        ...common,
        rules: [
          {
            apiGroups: ['*'],
            apiVersions: ['*'],
            operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
            resources: ['*/*'],
            scope: '*',
          },
        ],
        matchConditions: [
          { name: 'of-a-node', expression: fromNode },
          {
            name: 'stores-something',
            expression: "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])",
          },
        ],
      },
      {
        name: 'certificates.ban.selvedge.io',
        ...common,
        rules: [
          {
            apiGroups: ['certificates.k8s.io'],
            apiVersions: ['*'],
            operations: ['CREATE'],
            resources: ['certificatesigningrequests'],
            scope: '*',
          },
        ],
        matchConditions: [{ name: 'not-of-a-node', expression: `!${fromNode}` }],
      },
      { ...common, ...deletions, clientConfig: clientConfig(reach, ca, guardPath) },
    ],
  };
}
