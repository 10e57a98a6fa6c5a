import { expect, it } from 'vitest';
import type { Host } from '../host/index.ts';
import type { Layout } from '../layouts/index.ts';
import { hastyClock } from '../steps/testing-clock.ts';
import { type HubClients, createHubClients } from './hub-clients.ts';
import { createPatience } from './patience.ts';

const { signal } = new AbortController();
const hubPort = 10_270;
const startedMs = 5_000;
const kubelet = { unit: 'kubelet.service', kubeconfig: '/etc/kubelet.conf', change: { kind: 'edit' } };
const agent = {
  unit: 'k3s-agent.service',
  kubeconfig: '/k3s/kubelet.kubeconfig',
  change: { kind: 'argument', folder: '/etc/rancher/k3s/config.yaml.d' },
};
const proxy = { kind: 'unit', unit: 'kube-proxy.service', kubeconfig: '/etc/proxy.conf' };
const layoutOf = (parts: object): Layout => ({ kubelet, kubeProxy: { kind: 'none' }, ...parts }) as Layout;

/** Looks again and again, at a machine where these units talk to the hub. */
function looking(layout: Layout, talking: readonly string[]): HubClients & { readonly asked: string[] } {
  const asked: string[] = [];
  const run: Host['run'] = ({ argv }) => {
    const unit = argv.find((word) => word.endsWith('.service')) ?? '';
    asked.push(`${unit} ${argv.includes(`${hubPort}`)}`);
    const exitCode = talking.includes(unit) ? 0 : 1;
    return Promise.resolve({ exitCode, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
  };
  const host: Host = { name: 'till-1', run, [Symbol.asyncDispose]: () => Promise.resolve() };
  const clock = hastyClock();
  const clients = createHubClients({ layout, hubPort }, { host, patience: createPatience(clock), startedMs });
  const look: HubClients = async (sight, within) => {
    await clock.sleep(1_000, within);
    return await clients(sight, within);
  };
  return Object.assign(look, { asked });
}

const seenAt = (heartbeatMs: number) => ({ ready: { isTrue: true, reason: '', heartbeatMs } });

async function untilItThrows(look: HubClients, heartbeatMs: number): Promise<never> {
  for (let times = 0; times < 60; times += 1) await look(seenAt(heartbeatMs), signal);
  throw new Error('it waits on');
}

it('a kubelet that talks to the hub lacks nothing, and is not asked again', async () => {
  const look = looking(layoutOf({ kubeProxy: proxy }), ['kubelet.service', 'kube-proxy.service']);
  expect(await look(seenAt(0), signal)).toEqual([]);
  expect(await look(seenAt(0), signal)).toEqual([]);
  expect(look.asked).toEqual(['kubelet.service true', 'kube-proxy.service true']);
});

it.each([
  ['kubelet', layoutOf({}), [], /^\/etc\/kubelet.conf leads there.*systemctl cat kubelet.service/],
  [
    'kubelet',
    layoutOf({ kubelet: agent }),
    [],
    /^\/etc\/rancher\/k3s\/config.yaml.d\/99-selvedge.yaml .*K3S_CONFIG_FILE.*--kubelet-arg/,
  ],
  [
    'kube-proxy',
    layoutOf({ kubeProxy: proxy }),
    ['kubelet.service'],
    /^\/etc\/proxy.conf .*kube-proxy.service/,
  ],
] as const)(
  'a %s that the cloud hears and that goes another way is told with the file that it did not read',
  async (what, layout, talking, hint) => {
    const message = `its ${what} does not talk to the hub`;
    const look = looking(layout, talking);
    expect(await look(seenAt(startedMs), signal)).toEqual([message]);
    await expect(untilItThrows(look, startedMs)).rejects.toMatchObject({
      code: 'Conflict',
      message,
      hint: expect.stringMatching(hint),
    });
  },
);

it('a kubelet that nobody heard since its restart is waited for', async () => {
  const look = looking(layoutOf({}), []);
  await expect(untilItThrows(look, startedMs - 1)).rejects.toThrow('it waits on');
});
