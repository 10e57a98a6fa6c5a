import { Bed, imageRefs, waitFor } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { laneBed } from './support/lane.ts';

const [node, other] = ['stock-a', 'stock-b'] as const;
const namespace = 'bed-stock';
let bed: Bed;

const kubectl = async (...args: string[]): Promise<string> =>
  (await bed.kubectl([`--namespace=${namespace}`, ...args])).stdout;

beforeAll(async () => {
  bed = await Bed.open(laneBed());
  await bed.addNode({ name: node, agent: 'stock', labels: { 'selvedge.test/role': 'stock' } });
  await bed.addNode({
    name: other,
    agent: 'stock',
    labels: { 'selvedge.test/role': 'stock' },
    containerd: '2.4',
  });
  await bed.kubectl(['create', 'namespace', namespace]);
});
afterAll(async () => {
  await bed.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await bed.removeNode(node);
  await bed.removeNode(other);
});

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        nodeSelector: { 'selvedge.test/role': 'stock' },
        terminationGracePeriodSeconds: 1,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
        containers: [
          {
            name: 'web',
            image: imageRefs.busybox,
            command: ['sh', '-c', 'hostname > /tmp/hostname && exec httpd -f -p 8080 -h /tmp'],
            readinessProbe: { httpGet: { path: '/hostname', port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

interface PodList {
  readonly items: readonly {
    readonly spec: { readonly nodeName: string };
    readonly status: { readonly podIP: string };
  }[];
}

const pods = async (): Promise<PodList['items']> =>
  (JSON.parse(await kubectl('get', 'pods', '--selector=app=web', '--output=json')) as PodList).items;

describe('stock nodes of a bed', () => {
  it('run a Deployment, on containerd 1.6 and 2.4', async () => {
    await bed.kubectl([`--namespace=${namespace}`, 'apply', '--filename=-'], {
      input: JSON.stringify(deployment),
    });
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect((await pods()).map(({ spec }) => spec.nodeName).toSorted()).toEqual([node, other]);
  });

  it('let the pods of a site reach each other without NAT', async () => {
    for (const { status } of await pods()) {
      for (const from of [node, other]) {
        const url = `http://${status.podIP}:8080/hostname`;
        const { stdout } = await bed.exec(from, ['busybox', 'wget', '-qO-', url]);
        expect(stdout).toMatch(/^web-/);
      }
    }
  });

  it('resolve names and reach Services, the API server’s among them', async () => {
    await kubectl('expose', 'deployment/web', '--port=80', '--target-port=8080');
    const script = [
      `until wget -qO- http://web.${namespace}.svc.cluster.local/hostname > /dev/termination-log; do sleep 0.2; done`,
      'nc -w 2 kubernetes.default.svc.cluster.local 443 < /dev/null',
    ].join(' && ');
    const overrides = JSON.stringify({ spec: { nodeName: node } });
    const image = `--image=${imageRefs.busybox}`;
    await kubectl(
      'run',
      'asker',
      image,
      '--restart=Never',
      `--overrides=${overrides}`,
      '--',
      'sh',
      '-c',
      script,
    );
    await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/asker', '--timeout=60s');
    const path = '{.status.containerStatuses[0].state.terminated.message}';
    expect(await kubectl('get', 'pod/asker', `--output=jsonpath=${path}`)).toMatch(/^web-/);
  });

  it('come back after a power cut with nothing of what was in memory', async () => {
    const before = await bed.containers(node, { pod: await nameOn(node) });
    const links = async (): Promise<string> => (await bed.exec(node, ['ip', '-brief', 'link'])).stdout;
    expect(await links()).toContain('cni0');
    await bed.powerCut(node);
    expect((await bed.status()).nodes.find(({ name }) => name === node)).toMatchObject({ powered: false });
    await expect(bed.exec(node, ['true'])).rejects.toThrow('failed with exit code');
    await bed.powerOn(node);
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    const wait = { what: 'a new container of the pod' };
    const after = await waitFor(wait, systemClock, async () =>
      (await bed.containers(node, { namespace, container: 'web' })).find(({ state }) => state === 'running'),
    );
    expect(before.map(({ id }) => id)).not.toContain(after.id);
  });

  it('come back after a reboot', async () => {
    await bed.reboot(other);
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect((await bed.status()).nodes.find(({ name }) => name === other)).toMatchObject({ ready: 'True' });
  });
});

async function nameOn(host: string): Promise<string> {
  const selector = `--field-selector=spec.nodeName=${host}`;
  const name = '--output=jsonpath={.items[0].metadata.name}';
  return kubectl('get', 'pods', '--selector=app=web', selector, name);
}
