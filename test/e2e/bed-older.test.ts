import { Bed, imageRefs, nameBed } from '@selvedge/bed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let name: string;
let bed: Bed;

beforeAll(async () => {
  name = await nameBed('older');
  bed = await Bed.up({
    name,
    controlPlane: { version: '1.35' },
    nodes: [{ name: 'lite-old', agent: 'lite' }],
  });
});
afterAll(() => Bed.down(name));

describe('a control plane of Kubernetes 1.35', () => {
  it('is what it says', async () => {
    const { stdout } = await bed.kubectl(['version', '--output=json']);
    const { serverVersion } = JSON.parse(stdout) as {
      readonly serverVersion: { readonly gitVersion: string };
    };
    expect(serverVersion.gitVersion).toBe('v1.35.4');
  });

  it('lets a lite node join by token and run a Deployment', async () => {
    const create = ['create', 'deployment', 'web', `--image=${imageRefs.busybox}`, '--replicas=2'];
    await bed.kubectl([...create, '--', 'sh', '-c', `trap 'exit 0' TERM; sleep 600 & wait`]);
    await bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await bed.kubectl(['scale', 'deployment/web', '--replicas=1']);
    await bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await bed.kubectl(['delete', 'deployment/web', '--cascade=foreground', '--timeout=60s']);
    expect(await bed.sandboxes('lite-old')).toEqual([]);
  });
});
