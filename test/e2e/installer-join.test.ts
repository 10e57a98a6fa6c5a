import { diffInventories, takeInventory, type Inventory } from '@selvedge/bed/machine';
import { hasCode } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareMachine, bareMachine } from './support/bare-machine.ts';
import { edgeLiteExecutable } from './support/edge-lite-executable.ts';
import { type Operator, losing, operatorOf } from './support/joining.ts';
import { isReady, pod, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const name = 'bare-1';
/** Commands at which the machine is lost, in the default run: one is before the unit starts, one while pods go. */
const losses = { join: [23], reset: [14] } as const;

let bare: BareMachine;
let operator: Operator;
let before: State;

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

async function look(): Promise<State> {
  const left = await bare.run('sh', '-c', lookFor);
  return { inventory: await takeInventory(bare.machine), left: left.split('\n').toSorted() };
}

async function newToken(): Promise<string> {
  const { id, secret } = await site.bed.createBootstrapToken();
  return `${id}.${secret}`;
}

async function isNodeReady(): Promise<boolean> {
  const { status } = await site.client.get(resources.nodes, { name }, { signal: site.signal });
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

async function expectBare(): Promise<void> {
  const after = await look();
  expect(diffInventories(before.inventory, after.inventory)).toEqual([]);
  expect(after.left).toEqual(before.left);
}

beforeAll(async () => {
  bare = await bareMachine(site, name);
  operator = operatorOf(site, await edgeLiteExecutable());
  before = await look();
});
afterAll(() => bare[Symbol.asyncDispose]());

describe('a bare machine', () => {
  let token: string;

  it('becomes a Ready node in one command', async () => {
    token = await newToken();
    const result = await operator.join(bare.host, await operator.options(name, token));
    expect(result).toMatchObject({ outcome: 'joined', node: name });
    expect(await isNodeReady()).toBe(true);
    expect(operator.plans).toHaveLength(1);
  });

  it('has the token nowhere any more', async () => {
    const secret = token.slice(7);
    const places = ['/etc', '/var/lib/selvedge', '/var/lib/selvedge-installer', '/var/log', '/run/systemd'];
    const found = await bare.machine.execUnchecked(['grep', '-rlF', '--', secret, ...places]);
    expect(found.stdout).toBe('');
    const logged = await bare.run('journalctl', '--no-pager', '--output=cat');
    expect(logged).not.toContain(secret);
  });

  it('runs pods, which have addresses of the range that the cloud gave it', async () => {
    const created = pod({ name: 'on-bare', node: name, containers: [running('')] });
    await site.create(resources.pods, created);
    const ready = await site.pod('on-bare', { what: 'it is ready' }, isReady);
    const { spec } = await site.client.get(resources.nodes, { name }, { signal: site.signal });
    const range = spec?.podCIDR?.split('.').slice(0, 3).join('.') ?? '';
    expect(ready.status?.podIP).toContain(`${range}.`);
  });

  it('is left alone the second time', async () => {
    const at = await bare.run('systemctl', 'show', '--property=InvocationID', 'edge-lite');
    const result = await operator.join(bare.host, await operator.options(name, token));
    expect(result).toMatchObject({ outcome: 'unchanged', node: name });
    expect(operator.plans.at(-1)?.parts[0]?.changes).toEqual([]);
    expect(await bare.run('systemctl', 'show', '--property=InvocationID', 'edge-lite')).toBe(at);
  });

  it('is bare again after a reset, and the cloud has forgotten it', async () => {
    const result = await operator.reset(bare.host);
    expect(result).toMatchObject({ outcome: 'reset', node: name, nodeObject: 'deleted', warnings: [] });
    await expectBare();
    const gone = site.client.get(resources.nodes, { name }, { signal: site.signal });
    await expect(gone).rejects.toMatchObject({ code: 'NotFound' });
    expect(await operator.reset(bare.host)).toMatchObject({ outcome: 'unchanged' });
  });
});

describe('a token that is not good', () => {
  it.each([
    ['was never made', async () => 'abcdef.0123456789abcdef', /does not know the bootstrap token abcdef/],
    [
      'is mistyped',
      async () => `${(await newToken()).slice(0, 7)}0123456789abcdef`,
      /not signed by the secret/,
    ],
  ])('that %s is told before anything is changed', async (_what, make, message) => {
    const joining = operator.join(bare.host, await operator.options(name, await make()));
    await expect(joining).rejects.toMatchObject({ message: expect.stringMatching(message) });
    await expectBare();
  });
});

/** Runs what is lost on its way. */
async function isLost(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    (error: unknown) => {
      if (hasCode(error, 'Unavailable')) return true;
      throw error;
    },
  );
}

describe('a machine that is lost', () => {
  it.each(losses.join)('at command %i of a join goes on, and leaves nothing after a reset', async (at) => {
    const options = await operator.options(name, await newToken());
    expect(await isLost(operator.join(losing(bare.host, at, 'after'), options))).toBe(true);
    expect(await operator.join(bare.host, options)).toMatchObject({ outcome: 'joined' });
    expect(await isNodeReady()).toBe(true);
  });

  it.each(losses.reset)('at command %i of a reset goes on', async (at) => {
    expect(await isLost(operator.reset(losing(bare.host, at, 'after')))).toBe(true);
    expect(await operator.reset(bare.host)).toMatchObject({ outcome: 'reset' });
    await expectBare();
  });
});
