import { type Inventory, type InventoryChange, diffInventories, takeInventory } from '@selvedge/bed/machine';
import { hasCode } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import { edgeLiteExecutable } from './edge-lite-executable.ts';
import { type Operator, operatorOf } from './joining.ts';
import type { Site } from './site.ts';

/** All that is on a machine. */
interface State {
  readonly inventory: Inventory;
  /** What the inventory leaves out, for it changes on machines that run pods. */
  readonly left: readonly string[];
}

const lookFor = `
find /var/lib/cni /var/log/pods /var/log/containers /run/netns /etc/cni/net.d /sys/fs/cgroup -maxdepth 2 \\
  ! -path '/sys/fs/cgroup/*/system.slice*' 2> /dev/null | grep -e cni -e pods -e containers -e netns
for what in images containers; do ctr --namespace k8s.io $what list --quiet; done
exit 0`;

async function look(bare: BareMachine): Promise<State> {
  const left = await bare.run('sh', '-c', lookFor);
  return { inventory: await takeInventory(bare.machine), left: left.split('\n').toSorted() };
}

/** A bare machine that joins and is reset, again and again. */
export interface JoinCycle extends AsyncDisposable {
  readonly bare: BareMachine;
  readonly operator: Operator;
  newToken(): Promise<string>;
  isNodeReady(): Promise<boolean>;
  /** What is not as it was before the first join. */
  leftovers(): Promise<readonly (InventoryChange | string)[]>;
}

export async function joinCycle(site: Site, name: string): Promise<JoinCycle> {
  const bare = await bareMachine(site, name);
  const operator = operatorOf(site, await edgeLiteExecutable());
  const before = await look(bare);
  return {
    bare,
    operator,
    async newToken() {
      const { id, secret } = await site.bed.createBootstrapToken();
      return `${id}.${secret}`;
    },
    async isNodeReady() {
      const { status } = await site.client.get(resources.nodes, { name }, { signal: site.signal });
      return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
    },
    async leftovers() {
      const after = await look(bare);
      const now = after.left.filter((line) => !before.left.includes(line));
      const gone = before.left.filter((line) => !after.left.includes(line));
      return [
        ...diffInventories(before.inventory, after.inventory),
        ...now.map((line) => `there: ${line}`),
        ...gone.map((line) => `gone: ${line}`),
      ];
    },
    [Symbol.asyncDispose]: () => bare[Symbol.asyncDispose](),
  };
}

/** True if the machine was lost on the way. */
export async function isLost(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    (error: unknown) => {
      if (hasCode(error, 'Unavailable')) return true;
      throw error;
    },
  );
}
