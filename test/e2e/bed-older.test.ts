import { imageRefs } from '@selvedge/bed';
import { beforeAll, describe, expect, it } from 'vitest';
import { clients, itIsReached } from './support/kubectl-reach.ts';
import { useKubectl } from './support/programs.ts';
import { useTunnelBed } from './support/tunnel-bed.ts';
import { toolObjects } from './support/tunnel-pods.ts';

const node = 'lite-old';
const here = useTunnelBed({
  prefix: 'older',
  version: '1.35',
  nodes: [{ name: node, site: 'site-1', agent: 'lite' }],
});

describe('a control plane of Kubernetes 1.35', () => {
  it('is what it says', async () => {
    const { stdout } = await here.bed.kubectl(['version', '--output=json']);
    const { serverVersion } = JSON.parse(stdout) as {
      readonly serverVersion: { readonly gitVersion: string };
    };
    expect(serverVersion.gitVersion).toBe('v1.35.4');
  });

  it('lets a lite node join by token and run a Deployment', async () => {
    const create = ['create', 'deployment', 'web', `--image=${imageRefs.busybox}`, '--replicas=2'];
    await here.bed.kubectl([...create, '--', 'sh', '-c', `trap 'exit 0' TERM; sleep 600 & wait`]);
    await here.bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await here.bed.kubectl(['scale', 'deployment/web', '--replicas=1']);
    await here.bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await here.bed.kubectl(['delete', 'deployment/web', '--cascade=foreground', '--timeout=60s']);
    expect(await here.bed.sandboxes(node)).toEqual([]);
  });

  describe('with a tunnel to the node', () => {
    beforeAll(() => here.create(toolObjects(node)));

    for (const client of ['WebSocket', 'SPDY'] as const) {
      const kubectl = useKubectl({ kubeconfig: () => here.bed.kubeconfig, env: clients[client] });
      describe(`for clients that speak ${client}`, () => {
        itIsReached({ kubectl, node });
      });
    }
  });
});
