import { expect, test } from 'vitest';
import { webhookConfiguration } from './registration.ts';

interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly clientConfig: { readonly caBundle?: string; readonly url?: string };
  readonly rules: readonly object[];
  readonly matchConditions: readonly { readonly expression: string }[];
}

const service = { service: { namespace: 'a', name: 'b', port: 443 } };
const webhooksOf = (configuration: object): readonly Webhook[] =>
  (configuration as { readonly webhooks: readonly Webhook[] }).webhooks;
const named = (name: string): Webhook | undefined =>
  webhooksOf(webhookConfiguration(service, 'PEM')).find((one) => one.name === name);

test('asks about whatever a node can write: every resource, each subresource, wherever it is', () => {
  expect(named('writes.ban.selvedge.io')).toMatchObject({
    clientConfig: {
      service: { namespace: 'a', name: 'b', port: 443, path: '/admission/ban' },
      caBundle: Buffer.from('PEM').toString('base64'),
    },
    rules: [
      {
        apiGroups: ['*'],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
        resources: ['*/*'],
        scope: '*',
      },
    ],
    matchPolicy: 'Equivalent',
    matchConditions: [
      { expression: "request.userInfo.username.startsWith('system:node:')" },
      { expression: "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])" },
    ],
  });
});

test('fails closed for nodes that join, and open for everything else', () => {
  const closed = webhooksOf(webhookConfiguration(service, 'PEM'))
    .filter(({ failurePolicy }) => failurePolicy === 'Fail')
    .map(({ name }) => name);
  expect(closed).toEqual(['joining.identity.selvedge.io']);
  expect(named('joining.identity.selvedge.io')).toMatchObject({
    rules: [{ operations: ['CREATE'], resources: ['certificatesigningrequests'] }],
    matchConditions: [
      {
        expression: "has(request.userInfo.groups) && 'system:bootstrappers' in request.userInfo.groups",
      },
      {
        expression:
          "!has(request.userInfo.groups) || !('system:bootstrappers:selvedge:control-plane' in request.userInfo.groups)",
      },
    ],
  });
});

test('asks by URL, and says whom to trust only if that is known', () => {
  const urls = webhooksOf(webhookConfiguration({ url: 'https://10.0.0.1:9443/' }, undefined)).map(
    ({ clientConfig }) => clientConfig,
  );
  const paths = ['ban', 'ban', 'guard', 'identity', 'validation', 'validation'];
  expect(urls).toEqual(paths.map((path) => ({ url: `https://10.0.0.1:9443/admission/${path}` })));
});
