import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JoinCycle, isLost, joinCycle } from './support/join-cycle.ts';
import { losing } from './support/joining.ts';
import { isReady, pod, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const name = 'bare-1';
/** Commands at which the machine is lost; at every step: installer-join.long.test.ts. */
const losses = { join: 45, reset: 14 } as const;
let cycle: JoinCycle;

beforeAll(async () => {
  cycle = await joinCycle(site, name);
});
afterAll(() => cycle[Symbol.asyncDispose]());

describe('a bare machine', () => {
  let token: string;

  it('is told of a mistyped token before anything is changed', async () => {
    token = await cycle.newToken();
    const mistyped = `${token.slice(0, 7)}0123456789abcdef`;
    const { bare, operator } = cycle;
    const joining = operator.join(bare.host, await operator.options(name, mistyped));
    await expect(joining).rejects.toThrow('is not signed by the secret');
    expect(await cycle.leftovers()).toEqual([]);
  });

  it('that was lost on its way becomes a Ready node by the same command', async () => {
    const { bare, operator } = cycle;
    const options = await operator.options(name, token);
    expect(await isLost(operator.join(losing(bare.host, losses.join, 'after'), options))).toBe(true);
    expect(await operator.join(bare.host, options)).toMatchObject({ outcome: 'joined', node: name });
    expect(await cycle.isNodeReady()).toBe(true);
  });

  it('has the token nowhere any more', async () => {
    const secret = token.slice(7);
    const places = ['/etc', '/var/lib/selvedge', '/var/lib/selvedge-installer', '/var/log', '/run/systemd'];
    const found = await cycle.bare.machine.execUnchecked(['grep', '-rlF', '--', secret, ...places]);
    expect(found.stdout).toBe('');
    expect(await cycle.bare.run('journalctl', '--no-pager', '--output=cat')).not.toContain(secret);
  });

  it('runs pods, which have addresses of the range that the cloud gave it', async () => {
    const ports = [{ containerPort: 80, hostPort: 18_080 }];
    const created = pod({ name: 'on-bare', node: name, containers: [running('', { ports })] });
    await site.create(resources.pods, created);
    const ready = await site.pod('on-bare', { what: 'it is ready' }, isReady);
    const { spec } = await site.client.get(resources.nodes, { name }, { signal: site.signal });
    const range = spec?.podCIDR?.split('.').slice(0, 3).join('.') ?? '';
    expect(ready.status?.podIP).toContain(`${range}.`);
  });

  it('is left alone the second time', async () => {
    const { bare, operator } = cycle;
    const started = (): Promise<string> =>
      bare.run('systemctl', 'show', '--property=InvocationID', 'edge-lite');
    const before = await started();
    const result = await operator.join(bare.host, await operator.options(name, token));
    expect(result).toMatchObject({ outcome: 'unchanged', node: name });
    expect(operator.plans.at(-1)?.parts[0]?.changes).toEqual([]);
    expect(await started()).toBe(before);
  });

  it('is bare again after a reset that was lost on its way, and the cloud has forgotten it', async () => {
    const { bare, operator } = cycle;
    expect(await isLost(operator.reset(losing(bare.host, losses.reset, 'after')))).toBe(true);
    const result = await operator.reset(bare.host);
    expect(result).toMatchObject({ outcome: 'reset', node: name, nodeObject: 'deleted', warnings: [] });
    expect(await cycle.leftovers()).toEqual([]);
    const gone = site.client.get(resources.nodes, { name }, { signal: site.signal });
    await expect(gone).rejects.toMatchObject({ code: 'NotFound' });
    expect(await operator.reset(bare.host)).toMatchObject({ outcome: 'unchanged' });
  });
});
