import type { NodeOptions } from '@selvedge/bed';
import { resources } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machineSnapshot } from './support/machine-snapshot.ts';
import { containerStatus, isReady, pod, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const diary = '/var/lib/e2e/diary';

/** A machine of this file's own, for the tests of one `describe`. */
interface TestMachine {
  readonly node: string;
  /** The name of the pod on it. */
  readonly pod: string;
  /** What a program on it prints. */
  run(...argv: [string, ...string[]]): Promise<string>;
  status(): Promise<Node['status']>;
  /** Of its Lease. */
  renewTime(): Promise<string>;
  remove(): Promise<void>;
}

function useMachine(agent: NonNullable<NodeOptions['agent']>): TestMachine {
  const node = `machine-${agent}`;
  let added = false;
  const remove = async (): Promise<void> => {
    if (added) await site.bed.removeNode(node);
    added = false;
  };
  beforeAll(async () => {
    added = true;
    await site.bed.addNode({ name: node, kind: 'machine', agent });
  });
  afterAll(remove);
  return {
    node,
    pod: `survivor-${agent}`,
    run: async (...argv) => (await site.bed.exec(node, argv)).stdout.trim(),
    status: async () =>
      (await site.client.get(resources.nodes, { name: node }, { signal: site.signal })).status,
    async renewTime() {
      const at = { namespace: 'kube-node-lease', name: node };
      return (await site.client.get(resources.leases, at, { signal: site.signal })).spec?.renewTime ?? '';
    },
    remove,
  };
}

function itSurvives(machine: TestMachine): void {
  const { node, pod: name } = machine;
  const bootId = async (): Promise<string | undefined> => (await machine.status())?.nodeInfo?.bootID;

  it('runs a pod', async () => {
    const volumeMounts = [{ name: 'diary', mountPath: '/diary' }];
    const volumes = [{ name: 'diary', hostPath: { path: '/var/lib/e2e', type: 'DirectoryOrCreate' } }];
    const containers = [running('echo started >> /diary/diary', { volumeMounts })];
    await site.create(resources.pods, pod({ name, node, containers, volumes }));
    await site.pod(name, { what: 'it is ready' }, isReady);
    expect(await machine.run('cat', diary)).toBe('started');
  });

  it.each([
    ['a power cut', 1, () => site.bed.powerCut(node).then(() => site.bed.powerOn(node))],
    ['a reboot', 2, () => site.bed.reboot(node)],
  ])('brings its pods back after %s', async (_what, restarts, act) => {
    const [before, boot] = [await site.get(resources.pods, name), await bootId()];
    await machine.run('touch', '/run/in-memory');
    await act();
    const again = await site.pod(
      name,
      { what: 'it is ready again' },
      (one) => isReady(one) && containerStatus(one)?.restartCount === restarts,
    );
    expect(again.metadata.uid).toBe(before.metadata.uid);
    expect(containerStatus(again)?.containerID).not.toBe(containerStatus(before)?.containerID);
    expect((await machine.run('cat', diary)).split('\n')).toHaveLength(restarts + 1);
    expect(await machine.run('find', '/run', '-maxdepth', '1', '-name', 'in-memory')).toBe('');
    expect(await bootId()).not.toBe(boot);
    expect(await machine.run('systemctl', 'is-system-running')).toBe('running');
  });
}

function itLeavesNothing(machine: TestMachine): void {
  it('is gone when it is removed', async () => {
    const left = async (): Promise<readonly string[]> =>
      Object.values(await machineSnapshot())
        .flat()
        .filter((line) => line.includes(machine.node));
    expect(await left()).not.toEqual([]);
    await machine.remove();
    expect(await left()).toEqual([]);
  });
}

describe('a stock node on a machine with systemd', () => {
  const machine = useMachine('stock');
  itSurvives(machine);
  itLeavesNothing(machine);
});

describe('a lite node on a machine with systemd', () => {
  const machine = useMachine('lite');
  itSurvives(machine);

  it('says that its machine goes down, and does not when only edge-lite does', async () => {
    const seen = new Set<string | undefined>();
    const watch = site.until({ what: 'NodeShutdown' }, async () => {
      const { conditions } = (await machine.status()) ?? {};
      const reason = conditions?.find(({ type }) => type === 'Ready')?.reason;
      seen.add(reason);
      return reason === 'NodeShutdown';
    });
    await machine.run('systemctl', 'restart', 'edge-lite');
    const before = await machine.renewTime();
    await site.until({ what: 'the new edge-lite at work' }, async () => (await machine.renewTime()) > before);
    expect(seen).not.toContain('NodeShutdown');
    await Promise.all([site.bed.reboot(machine.node), watch]);
  });

  it('tells systemd that it is ready', async () => {
    const folder = '/run/systemd/system/edge-lite.service.d';
    await machine.run('mkdir', '--parents', folder);
    const dropIn = `printf '[Service]\\nType=notify\\nNotifyAccess=all\\n' > ${folder}/notify.conf`;
    await machine.run('sh', '-c', dropIn);
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('systemctl', 'restart', 'edge-lite');
    expect(await machine.run('systemctl', 'is-active', 'edge-lite')).toBe('active');
  });

  itLeavesNothing(machine);
});
