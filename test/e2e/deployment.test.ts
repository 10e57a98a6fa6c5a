import { resources } from '@selvedge/kube';
import type { Deployment, Pod } from '@selvedge/kube/types';
import { imageRefs } from '@selvedge/bed';
import { describe, expect, it } from 'vitest';
import { isReady } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const labels = { app: 'web' };

async function pods(): Promise<readonly Pod[]> {
  const { namespace, signal } = site;
  return (await site.client.listAll(resources.pods, { namespace, labelSelector: 'app=web', signal })).items;
}

const kubectl = (...args: string[]): Promise<{ stdout: string }> =>
  site.bed.kubectl([`--namespace=${site.namespace}`, ...args], { signal: site.signal });

const deployment: Deployment = {
  metadata: { name: 'web', labels },
  spec: {
    replicas: 4,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        nodeSelector: { 'selvedge.test/role': 'lite' },
        terminationGracePeriodSeconds: 2,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: labels },
          },
        ],
        containers: [
          {
            name: 'web',
            image: imageRefs.agnhost,
            args: ['netexec', '--http-port=8080'],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/hostname', port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

describe('a Deployment on lite nodes', () => {
  it('rolls out over both nodes, as kubectl sees it', async () => {
    await site.create(resources.deployments, deployment);
    const { stdout } = await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
    expect(stdout).toContain('successfully rolled out');
    const running = await pods();
    expect(running.filter(isReady)).toHaveLength(4);
    expect(new Set(running.map((one) => one.spec?.nodeName))).toEqual(new Set(['lite-1', 'lite-2']));
    expect(new Set(running.map((one) => one.status?.podIP)).size).toBe(4);
  });

  it('answers requests inside the site, from either node', async () => {
    for (const { status } of await pods()) {
      for (const node of ['lite-1', 'lite-2']) {
        const url = `http://${status?.podIP}:8080/hostname`;
        const { stdout } = await site.bed.exec(node, ['busybox', 'wget', '-qO-', url]);
        expect(stdout).toMatch(/^web-/);
      }
    }
  });

  it('is scaled up and down', async () => {
    await kubectl('scale', 'deployment/web', '--replicas=6');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect((await pods()).filter(isReady)).toHaveLength(6);
    await kubectl('scale', 'deployment/web', '--replicas=2');
    await site.until({ what: 'two pods are left' }, async () => (await pods()).length === 2);
  });

  it('takes a rolling update without losing its last ready pod', async () => {
    const before = new Set((await pods()).map((one) => one.metadata.uid));
    await kubectl('set', 'env', 'deployment/web', 'REVISION=2');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
    await site.until({ what: 'the old pods are gone' }, async () => (await pods()).length === 2);
    const after = await pods();
    expect(after.every((one) => isReady(one) && !before.has(one.metadata.uid))).toBe(true);
  });

  it('leaves neither pods nor sandboxes when it is deleted', async () => {
    const uids = (await pods()).map((one) => one.metadata.uid);
    await kubectl('delete', 'deployment/web', '--cascade=foreground', '--timeout=60s');
    expect(await pods()).toEqual([]);
    for (const node of ['lite-1', 'lite-2']) {
      const left = await site.bed.sandboxes(node);
      expect(left.filter((uid) => uids.includes(uid))).toEqual([]);
    }
  });
});
