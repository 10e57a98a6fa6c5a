import { type Bed, cloudSite, imageRefs } from '@selvedge/bed';
import { type Host, createJobHosts } from '@selvedge/installer';
import { systemClock as clock } from '@selvedge/kit';
import { fileCredentials, loadKubeconfig, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostContract } from '../contract/installer-host.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const node = 'machine-job';
let host: Host;

async function openHost(bed: Bed): Promise<Host> {
  const access = await loadKubeconfig(bed.kubeconfig);
  const api = { ...access, credentials: fileCredentials(access.credentials, { clock }) };
  const onNote = (text: string): void => {
    throw new Error(text);
  };
  const deps = { cluster: site.client, api, clock, random: Math.random, onNote };
  // It has what node-shell has: both are busybox.
  const hosts = createJobHosts({ image: imageRefs.busybox }, deps);
  return hosts.open({ name: node, addresses: [] }, site.signal);
}

async function podsOfJobs(): Promise<readonly Pod[]> {
  const options = { namespace: 'kube-system', fieldSelector: `spec.nodeName=${node}`, signal: site.signal };
  return (await site.client.listAll(resources.pods, options)).items;
}

beforeAll(async () => {
  // Where the API server reaches the kubelet without a tunnel.
  await site.bed.addNode({ name: node, kind: 'machine', agent: 'stock', site: cloudSite });
  host = await openHost(site.bed);
});
afterAll(() => site.bed.removeNode(node));

// One Job for all of them.
hostContract('a machine behind a Job of a real cluster', async () => ({
  ...host,
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));

describe('a machine behind a Job of a real cluster', () => {
  it('is the machine itself: its files, its processes, its units, its network', async () => {
    const asked = [
      '/bin/sh',
      '-c',
      'hostname; readlink /proc/$$/exe; cat /proc/1/comm; ls /sys/class/net',
    ] as const;
    const [name, shell, init, ...links] = (await host.run({ argv: asked })).stdout
      .toString()
      .trim()
      .split('\n');
    const inside = await site.bed.exec(node, asked);
    expect([name, init]).toEqual([node, 'systemd']);
    expect([name, shell, init, ...links]).toEqual(inside.stdout.trim().split('\n'));
    expect((await host.run({ argv: ['systemctl', 'is-active', 'kubelet'] })).stdout.toString()).toBe(
      'active\n',
    );
  });

  it('tells how a program ended that restarted the kubelet, which its connection went through', async () => {
    const started = async (): Promise<string> => {
      const argv = ['systemctl', 'show', '--property=InvocationID', 'kubelet'] as const;
      return (await host.run({ argv })).stdout.toString();
    };
    const before = await started();
    const script = 'systemctl restart kubelet && echo restarted && sleep 2';
    const { exitCode, stdout } = await host.run({ argv: ['sh', '-c', script] });
    expect([exitCode, stdout.toString()]).toEqual([0, 'restarted\n']);
    expect(await started()).not.toBe(before);
  });

  it('is left with nothing of it', async () => {
    expect(await podsOfJobs()).toHaveLength(1);
    await host[Symbol.asyncDispose]();
    expect(await podsOfJobs()).toEqual([]);
    await expect(host.run({ argv: ['true'] })).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
