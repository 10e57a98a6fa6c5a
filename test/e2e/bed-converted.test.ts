import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Bed, type ContainerSummary, imageRefs, waitFor } from '@selvedge/bed';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { laneBed } from './support/lane.ts';

const node = 'converted-a';
const site = 'bed-converted';
const namespace = `e2e-${randomBytes(4).toString('hex')}`;
let bed: Bed;

const kubectl = async (...args: string[]): Promise<string> =>
  (await bed.kubectl([`--namespace=${namespace}`, ...args])).stdout;

interface Connection {
  readonly program: string;
  readonly peer: string;
}

/** Who on the node has a connection to these ports. */
async function connections(ports: readonly number[]): Promise<readonly Connection[]> {
  const filter = `( ${ports.map((port) => `dport = :${port}`).join(' or ')} )`;
  const { stdout } = await bed.exec(node, ['ss', '-Htnp', 'state', 'established', filter]);
  return Array.from(stdout.matchAll(/(\S+)\s+users:\(\("([^"]+)"/g), ([, peer = '', program = '']) => ({
    peer,
    program,
  }));
}

/** What the node's pods write, from its disk. */
async function logOf(pod: string): Promise<string> {
  const folder = join(bed.logs, '..', 'nodes', node, 'pod-logs');
  const [mine = ''] = (await readdir(folder)).filter((name) => name.startsWith(`${namespace}_${pod}_`));
  const files = await readdir(join(folder, mine, 'main')).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, mine, 'main', file), 'utf8')));
  return texts.join('');
}

const running = async (pod: string): Promise<ContainerSummary | undefined> =>
  (await bed.containers(node, { namespace, pod, container: 'main' })).find(
    ({ state }) => state === 'running',
  );

const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what }, systemClock, look);

/** Healthy answers that a program in a pod got from the API by its in-cluster configuration. */
async function apiCalls(): Promise<number> {
  return (await logOf('client')).split('calling /healthz').length - 1;
}

async function run(
  name: string,
  image: string,
  {
    on,
    ...container
  }: { readonly on: string; readonly args?: readonly string[]; readonly command?: readonly string[] },
): Promise<void> {
  const spec = {
    nodeName: on,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image, ...container }],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
  await bed.kubectl([`--namespace=${namespace}`, 'create', '--filename=-'], { input: JSON.stringify(pod) });
  await kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
}

beforeAll(async () => {
  bed = await Bed.open(laneBed());
  await bed.addSite({ name: site });
  await bed.addNode({ name: node, site, agent: 'converted', dns: true });
  await bed.kubectl(['create', 'namespace', namespace]);
  await until('the default service account', async () =>
    (await kubectl('get', 'serviceaccounts', '--output=name')).includes('/default'),
  );
});
afterAll(async () => {
  await bed.heal(site);
  await bed.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await bed.removeNode(node);
  await bed.removeSite(site);
});

describe('a converted node of a bed', () => {
  it('has the hub between its stock programs and the API server', async () => {
    const toHub = await connections([10_270]);
    expect([...new Set(toHub.map(({ program }) => program))].toSorted()).toEqual(
      expect.arrayContaining(['coredns', 'kube-proxy', 'kubelet']),
    );
    const toCloud = await connections([6_443]);
    expect(toCloud.length).toBeGreaterThan(0);
    expect(toCloud.filter(({ program }) => ['coredns', 'kube-proxy', 'kubelet'].includes(program))).toEqual(
      [],
    );
  });

  it('runs pods that reach the API by their in-cluster configuration, at the hub', async () => {
    await run('client', imageRefs.agnhost, { on: node, args: ['inclusterclient', '--poll-interval=1'] });
    await until('calls of the pod', async () => (await apiCalls()) > 2);
    expect(await logOf('client')).not.toMatch(/status code|error|x509/i);
    const { stdout } = await bed.exec(node, ['nft', 'list', 'table', 'ip', 'kube-proxy']);
    expect(stdout).toContain('169.254.77.1 . 10270');
    expect(stdout).not.toContain('. 6443');
  });

  it('resolves names on its own', async () => {
    const { nodes } = await bed.status();
    const address = nodes.find(({ name }) => name === node)?.address ?? '';
    const { stdout } = await bed.exec(node, [
      'busybox',
      'nslookup',
      'kubernetes.default.svc.cluster.local',
      address,
    ]);
    expect(stdout).toContain('10.96.0.1');
  });

  it('keeps its pods while the hub is started anew', async () => {
    const before = await running('client');
    await bed.stopAgent(node, 'SIGKILL', 'edge-lite');
    expect((await connections([10_270])).filter(({ program }) => program === 'kubelet')).toEqual([]);
    await bed.startAgent(node);
    expect(await running('client')).toEqual(before);
    const calls = await apiCalls();
    await until('calls of the pod', async () => (await apiCalls()) > calls);
  });

  it('comes back after a power cut while its site is cut off, and its pods reach the API at the hub', async () => {
    await bed.cut(site, 'blackhole');
    await bed.powerCut(node);
    await bed.powerOn(node, { wait: false });
    const after = await until('the container of the pod', () => running('client'));
    expect(after.attempt).toBe(1);
    const calls = await apiCalls();
    await until('calls of the pod', async () => (await apiCalls()) > calls);
    await bed.heal(site);
    await kubectl('wait', '--for=condition=Ready', 'pod/client', '--timeout=60s');
    expect(await running('client')).toEqual(after);
  });
});

describe('kubectl at the hub of a node that the API server can dial', () => {
  const dialable = 'converted-b';
  let argv: readonly [string, ...string[]];

  const atHub = async (args: readonly string[], env: readonly string[] = []): Promise<string> =>
    (await bed.exec(dialable, ['env', 'KUBECONFIG=/none', ...env, ...argv, ...args])).stdout;

  beforeAll(async () => {
    const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
    await bed.addNode({ name: dialable, site: 'cloud', agent: 'converted' });
    await kubectl('create', 'serviceaccount', 'person');
    await kubectl(
      'create',
      'rolebinding',
      'person',
      '--clusterrole=admin',
      `--serviceaccount=${namespace}:person`,
    );
    const token = (await kubectl('create', 'token', 'person')).trim();
    const ca = join(bed.logs, '..', 'nodes', dialable, 'root/var/lib/selvedge/pki/hub-ca.crt');
    const server = 'https://127.0.0.1:10270';
    argv = [
      program,
      `--server=${server}`,
      `--certificate-authority=${ca}`,
      `--token=${token}`,
      `--namespace=${namespace}`,
    ];
    const script = 'hostname > /tmp/hostname && echo said && exec httpd -f -p 8080 -h /tmp';
    await run('web', imageRefs.busybox, { on: dialable, command: ['sh', '-c', script] });
  });
  afterAll(() => bed.removeNode(dialable));

  it.each([
    ['WebSocket', 'true'],
    ['SPDY', 'false'],
  ])('runs programs in pods, copies and forwards ports, over %s', async (_protocol, webSockets) => {
    const env = [
      `KUBECTL_REMOTE_COMMAND_WEBSOCKETS=${webSockets}`,
      `KUBECTL_PORT_FORWARD_WEBSOCKETS=${webSockets}`,
    ];
    expect(await atHub(['exec', 'web', '--', 'cat', '/tmp/hostname'], env)).toBe('web\n');
    const zeros = await atHub(['exec', 'web', '--', 'head', '-c', '900000', '/dev/zero'], env);
    expect(zeros).toHaveLength(900_000);
    await expect(atHub(['exec', 'web', '--', 'sh', '-c', 'exit 3'], env)).rejects.toThrow('exit code 3');
    const forward = [...argv, 'port-forward', 'pod/web', '18080:8080'].join(' ');
    const script = `${forward} > /dev/null & until busybox wget -qO- http://127.0.0.1:18080/hostname; do sleep 0.2; done; kill $!`;
    const { stdout } = await bed.exec(dialable, ['env', 'KUBECONFIG=/none', ...env, 'sh', '-c', script]);
    expect(stdout).toBe('web\n');
  });

  it('reads logs', async () => {
    expect(await atHub(['logs', 'web'])).toBe('said\n');
  });
});

describe('a stock node that is converted while its pods run', () => {
  const stock = 'converted-c';
  const service = 'https://10.96.0.1/version';
  const files = (): string => join(bed.logs, '..');

  /** Asks the API as a program in the pod would, if it trusts this authority; the status, or `0` if it does not. */
  const askFrom = async (pod: string, ca: string): Promise<string> => {
    const path = '--output=jsonpath={.status.podIP}';
    const address = await kubectl('get', 'pod', pod, path);
    const folder = join(files(), 'nodes', stock, 'run/io.containerd.grpc.v1.cri/netns');
    for (const name of await readdir(folder)) {
      const enter = ['nsenter', `--net=${join(folder, name)}`] as const;
      const { stdout } = await bed.exec(stock, [...enter, 'ip', '-4', '-brief', 'address']);
      if (!stdout.includes(`${address}/`)) continue;
      const format = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}'];
      const ask = [
        ...enter,
        'sh',
        '-c',
        '"$@" || true',
        'sh',
        'curl',
        ...format,
        '--cacert',
        ca,
        service,
      ] as const;
      return (await bed.exec(stock, [...ask])).stdout;
    }
    throw new Error(`pod ${pod} has no network of its own`);
  };

  beforeAll(async () => {
    await bed.addNode({ name: stock, site, agent: 'stock' });
    await run('early', imageRefs.busybox, { on: stock, command: ['sleep', '3600'] });
  });
  afterAll(() => bed.removeNode(stock));

  it('relays the pods that were there, serves those that come, and lets go of all of them', async () => {
    const before = await bed.containers(stock, { namespace });
    const cluster = join(files(), 'pki/ca.crt');
    const hub = join(files(), 'nodes', stock, 'root/var/lib/selvedge/pki/hub-ca.crt');
    expect(await askFrom('early', cluster)).toBe('200');
    await bed.setAgent(stock, 'converted');
    expect(await bed.containers(stock, { namespace })).toEqual(before);
    // The cluster's own server answers the one, the hub the other; neither trusts the other's.
    await until('the Service to lead to the hub', async () => {
      const { stdout } = await bed.exec(stock, ['nft', 'list', 'table', 'ip', 'kube-proxy']);
      return stdout.includes('169.254.77.1 . 10270');
    });
    expect(await askFrom('early', cluster)).toBe('200');
    expect(await askFrom('early', hub)).toBe('000');
    await run('late', imageRefs.busybox, { on: stock, command: ['sleep', '3600'] });
    expect(await askFrom('late', hub)).toBe('401');
    expect(await askFrom('late', cluster)).toBe('000');
    await bed.setAgent(stock, 'stock');
    await until('the Service to lead to the API server', async () => {
      const { stdout } = await bed.exec(stock, ['nft', 'list', 'table', 'ip', 'kube-proxy']);
      return stdout.includes('. 6443') && !stdout.includes('169.254.77.1');
    });
    expect(await askFrom('late', cluster)).toBe('200');
    const after = await bed.containers(stock, { namespace, pod: 'early' });
    expect(after).toEqual(before);
  });
});
