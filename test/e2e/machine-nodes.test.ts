import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerStatus, isReady, pod, running } from './support/pods.ts';
import { machineSnapshot } from './support/machine-snapshot.ts';
import { useSite } from './support/site.ts';

const site = useSite();

describe.each(['stock', 'lite'] as const)('a %s node on a machine with systemd', (agent) => {
  const node = `machine-${agent}`;
  const name = `survivor-${agent}`;
  const diary = '/var/lib/e2e/diary';
  const onNode = async (...argv: [string, ...string[]]): Promise<string> =>
    (await site.bed.exec(node, argv)).stdout.trim();
  const bootId = async (): Promise<string | undefined> => {
    const { status } = await site.client.get(resources.nodes, { name: node }, { signal: site.signal });
    return status?.nodeInfo?.bootID;
  };

  beforeAll(() => site.bed.addNode({ name: node, kind: 'machine', agent }));
  afterAll(() => site.bed.removeNode(node));

  it('runs a pod', async () => {
    const containers = [
      running('echo started >> /diary/diary', { volumeMounts: [{ name: 'diary', mountPath: '/diary' }] }),
    ];
    const volumes = [{ name: 'diary', hostPath: { path: '/var/lib/e2e', type: 'DirectoryOrCreate' } }];
    await site.create(resources.pods, pod({ name, node, containers, volumes }));
    await site.pod(name, { what: 'it is ready' }, isReady);
    expect(await onNode('cat', diary)).toBe('started');
  });

  it.each([
    ['a power cut', 1, () => site.bed.powerCut(node).then(() => site.bed.powerOn(node))],
    ['a reboot', 2, () => site.bed.reboot(node)],
  ])('brings its pods back after %s', async (_what, restarts, act) => {
    const [before, boot] = [await site.get(resources.pods, name), await bootId()];
    await onNode('touch', '/run/in-memory');
    await act();
    const again = await site.pod(
      name,
      { what: 'it is ready again' },
      (one) => isReady(one) && containerStatus(one)?.restartCount === restarts,
    );
    expect(again.metadata.uid).toBe(before.metadata.uid);
    expect(containerStatus(again)?.containerID).not.toBe(containerStatus(before)?.containerID);
    expect((await onNode('cat', diary)).split('\n')).toHaveLength(restarts + 1);
    expect(await onNode('find', '/run', '-maxdepth', '1', '-name', 'in-memory')).toBe('');
    expect(await bootId()).not.toBe(boot);
    expect(await onNode('systemctl', 'is-system-running')).toBe('running');
  });

  it('is gone when it is removed', async () => {
    const mine = async (): Promise<readonly string[]> =>
      Object.values(await machineSnapshot())
        .flat()
        .filter((line) => line.includes(node));
    expect(await mine()).not.toEqual([]);
    await site.bed.removeNode(node);
    expect(await mine()).toEqual([]);
    await site.bed.addNode({ name: node, kind: 'machine', agent: 'none' });
  });
});
