import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ManagerWorld, startManagerWorld } from './manager-world.ts';

/** What is deployed, held against a real API server: without a scheduler and nodes nothing of it runs. */
const folder = join(import.meta.dirname, '../../deploy/cloud-manager');

interface Built {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: object };
}

let world: ManagerWorld;

beforeAll(async () => {
  world = await startManagerWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

test('the API server takes all of it, and knows every field', async () => {
  const args = ['--server-side', '--dry-run=server', '--validate=strict', '--kustomize', folder];
  const { stdout } = await world.kubectl(['apply', ...args, '--output=name']);
  const made = stdout.trim().split('\n');
  expect(made).toEqual(
    expect.arrayContaining([
      'namespace/selvedge-system',
      'serviceaccount/cloud-manager',
      'clusterrole.rbac.authorization.k8s.io/selvedge:cloud-manager',
      'configmap/cloud-manager',
      'service/cloud-manager-tunnel',
      'service/cloud-manager',
      'deployment.apps/cloud-manager',
      'poddisruptionbudget.policy/cloud-manager',
    ]),
  );
});

test('its pods keep the restricted Pod Security Standard', async () => {
  const { stdout } = await world.kubectl(['create', '--dry-run=client', '--output=json', '-k', folder]);
  const objects = JSON.parse(`[${stdout.replaceAll(/}\s*\n{/g, '},{')}]`) as readonly (Built & {
    readonly items?: readonly Built[];
  })[];
  const built = objects.flatMap(({ items, ...one }) => items ?? [one]);
  const deployment = built.find(({ kind }) => kind === 'Deployment');
  expect(deployment).toBeDefined();
  await world.kubectl(['create', 'namespace', 'restricted']);
  const label = 'pod-security.kubernetes.io/enforce=restricted';
  await world.kubectl(['label', 'namespace', 'restricted', label]);
  await world.kubectl(['create', '--namespace=restricted', 'serviceaccount', 'cloud-manager']);
  const input = JSON.stringify({
    ...deployment?.spec.template,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace: 'restricted' },
  });
  const { stderr } = await world.kubectl(['create', '--dry-run=server', '--filename=-'], { input });
  expect(stderr).not.toContain('PodSecurity');
});
