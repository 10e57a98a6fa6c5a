import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Bed, nameBed, waitFor } from '@selvedge/bed';
import { type CommandResult, ensureAssets, runUnchecked } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pod, running, shell, webServer } from './support/pods.ts';
import { closeSite, siteProxy } from './support/site-proxy.ts';

/** Two shops behind NAT with the same addresses, and an API server whose way to them is the tunnel. */
const nodes = { lite: 'till-1', converted: 'till-2' } as const;
const sites = { lite: 'shop-1', converted: 'shop-2' } as const;
const agents = ['lite', 'converted'] as const;

let name: string;
let bed: Bed;
let program: string;
const children: ChildProcessWithoutNullStreams[] = [];

const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what, timeoutMs: 30_000 }, systemClock, look);

const kubectlArgv = (...args: readonly string[]): [string, ...string[]] => [
  program,
  `--kubeconfig=${bed.kubeconfig}`,
  '--request-timeout=20s',
  ...args,
];

/** Resolves whatever it ends with. */
const kubectl = (args: readonly string[], input?: Uint8Array): Promise<CommandResult> =>
  runUnchecked({ argv: kubectlArgv(...args), ...(input === undefined ? {} : { input }) });

/** What goes on until it is ended; all of them are, after each test. */
function start(argv: readonly [string, ...string[]]): ChildProcessWithoutNullStreams {
  const [file, ...args] = argv;
  const child = spawn(file, args);
  children.push(child);
  return child;
}

/** The first line that says it. */
async function line(child: ChildProcessWithoutNullStreams, says: RegExp): Promise<RegExpExecArray> {
  for await (const text of createInterface({ input: child.stdout })) {
    const found = says.exec(text);
    if (found !== null) return found;
  }
  throw new Error(`it ended without a line like ${says.source}`);
}

const addressOf = async (node: string): Promise<string> =>
  (await bed.status()).nodes.find((each) => each.name === node)?.address ?? '';

beforeAll(async () => {
  name = await nameBed('tun');
  ({ kubectl: program } = await ensureAssets({ binaries: ['kubectl'] }));
  bed = await Bed.up({
    name,
    controlPlane: { tunnel: true },
    sites: agents.map((agent) => ({ name: sites[agent] })),
    nodes: agents.map((agent) => ({ name: nodes[agent], site: sites[agent], agent })),
  });
  await until('the default service account', async () =>
    (await kubectl(['get', 'serviceaccounts', '--output=name'])).stdout.includes('/default'),
  );
  const items = agents.flatMap((agent) => [
    pod({ name: `web-${agent}`, node: nodes[agent], containers: [webServer()] }),
    pod({ name: `shell-${agent}`, node: nodes[agent], containers: [running('echo one; echo two')] }),
  ]);
  const list = items.map((one) => ({ apiVersion: 'v1', kind: 'Pod', ...one }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: list });
  await bed.kubectl(['create', '--filename=-'], { input });
  await bed.kubectl(['wait', '--for=condition=Ready', 'pods', '--all', '--timeout=60s']);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
});
afterAll(() => Bed.down(name));

describe('the cloud', () => {
  it('cannot dial the nodes, which have the same address', async () => {
    const address = await addressOf(nodes.lite);
    expect(await addressOf(nodes.converted)).toBe(address);
    const { sites: found } = await bed.status();
    const router = found.find((site) => site.name === sites.lite)?.address ?? '';
    const dial = [
      'curl',
      '--silent',
      '--insecure',
      '--max-time',
      '1',
      `https://${address}:10250/healthz`,
    ] as const;
    // It does answer, inside the site.
    expect((await bed.exec(sites.lite, dial)).stdout).not.toBe('');
    await bed.exec('cloud', ['ip', 'route', 'add', `${address}/32`, 'via', router]);
    try {
      await expect(bed.exec('cloud', dial)).rejects.toThrow(/28/);
    } finally {
      await bed.exec('cloud', ['ip', 'route', 'del', `${address}/32`]);
    }
  });

  it('shows who is connected, from where and how', async () => {
    const { stdout } = await bed.kubectl(['get', 'edgenodes', '--output=json']);
    const { items } = JSON.parse(stdout) as {
      readonly items: readonly { readonly metadata: { readonly name: string }; readonly status: object }[];
    };
    expect(items.map((one) => one.metadata.name).toSorted()).toEqual(Object.values(nodes));
    const session = { server: 'cloud', carrier: 'tls', direction: 'reverse', state: 'live' };
    for (const { status } of items) expect(status).toMatchObject({ sessions: [session] });
  });
});

describe.each(agents)('a %s node behind NAT', (agent) => {
  const node = nodes[agent];

  it('shows logs', async () => {
    const { stdout, stderr } = await kubectl(['logs', `shell-${agent}`, '--tail=1']);
    expect(stderr).toBe('');
    expect(stdout).toBe('two\n');
  });

  it('shows logs as they are written, to their end', async () => {
    const counting = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done';
    const counter = pod({
      name: `count-${agent}`,
      node,
      restartPolicy: 'Never',
      containers: [shell(counting)],
    });
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...counter });
    await bed.kubectl(['create', '--filename=-'], { input });
    const read = async (): Promise<string | false> => {
      const { exitCode, stdout } = await kubectl(['logs', '--follow', `count-${agent}`]);
      return exitCode === 0 && stdout;
    };
    expect(await until('the logs', read)).toBe('1\n2\n3\n4\n5\n6\n');
  });

  it('runs commands, with their output, their errors and their exit codes', async () => {
    const script = 'echo out; echo err >&2; exit 7';
    const said = await kubectl(['exec', `shell-${agent}`, '--', 'sh', '-c', script]);
    expect(said).toMatchObject({ exitCode: 7, stdout: 'out\n' });
    expect(said.stderr).toMatch(/^err\n/);
  });

  it('takes a command’s input to its last byte', async () => {
    const input = randomBytes(8 * 1024 * 1024);
    const { exitCode, stdout } = await kubectl(['exec', '-i', `shell-${agent}`, '--', 'sha256sum'], input);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(createHash('sha256').update(input).digest('hex'));
  });

  it('gives a terminal of the caller’s size', async () => {
    const exec = kubectlArgv('exec', '-it', `shell-${agent}`, '--').join(' ');
    const command = `stty rows 33 cols 99; ${exec} sh -c 'until stty size | grep "33 99"; do sleep 0.2; done'`;
    const terminal = start(['script', '-qec', command, '/dev/null']);
    await line(terminal, /33 99/);
  });

  it('forwards a port', async () => {
    const forward = start(kubectlArgv('port-forward', `pod/web-${agent}`, ':8080'));
    const [, port] = await line(forward, /^Forwarding from 127\.0\.0\.1:(\d+)/);
    const argv = ['curl', '--silent', '--max-time', '10', `http://127.0.0.1:${port}/hostname`] as const;
    expect(await runUnchecked({ argv: [...argv] })).toMatchObject({ exitCode: 0, stdout: `web-${agent}` });
  });

  it('is reached by the API server’s proxy, and its pods are', async () => {
    const get = async (path: string): Promise<string> => (await bed.kubectl(['get', '--raw', path])).stdout;
    expect(await get(`/api/v1/namespaces/default/pods/web-${agent}:8080/proxy/hostname`)).toBe(
      `web-${agent}`,
    );
    expect(await get(`/api/v1/nodes/${node}/proxy/healthz`)).toBe('ok');
  });

  it('refuses what its list does not have, and the caller reads why', async () => {
    const { exitCode, stderr } = await kubectl(['get', '--raw', `/api/v1/nodes/${node}:22/proxy/`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`of node ${node} only port 10250, the kubelet's, is allowed`);
  });
});

describe('a site that only a proxy leads out of', () => {
  const shop = 'shop-3';
  const node = 'till-3';

  beforeAll(async () => {
    await bed.addSite({ name: shop });
    await closeSite(bed, shop);
    const uplink = { proxy: siteProxy, carriers: ['websocket'] } as const;
    await bed.addNode({ name: node, site: shop, agent: 'lite', uplink });
    const one = pod({ name: 'shell-proxied', node, containers: [running('echo one; echo two')] });
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...one });
    await bed.kubectl(['create', '--filename=-'], { input });
    await bed.kubectl(['wait', '--for=condition=Ready', 'pod/shell-proxied', '--timeout=60s']);
  });

  it('is connected by WebSocket', async () => {
    const path = '--output=jsonpath={.status.sessions[*].carrier}';
    expect((await bed.kubectl(['get', 'edgenode', node, path])).stdout).toBe('websocket');
  });

  it('shows logs and runs commands', async () => {
    expect(await kubectl(['logs', 'shell-proxied'])).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n' });
    const input = randomBytes(2 * 1024 * 1024);
    const { stdout } = await kubectl(['exec', '-i', 'shell-proxied', '--', 'sha256sum'], input);
    expect(stdout).toContain(createHash('sha256').update(input).digest('hex'));
  });
});

describe('a site that is cut off', () => {
  it('loses its streams once it is known to be gone, and is reached again after the heal', async () => {
    const following = start(kubectlArgv('logs', '--follow', 'shell-lite'));
    await line(following, /two/);
    const ended = once(following, 'close');
    const cutMs = systemClock.monotonicMs();
    await bed.cut(sites.lite, 'blackhole');
    await ended;
    // A dead peer is noticed within 14 s; kubectl, and the one who looks, take a moment too.
    expect(systemClock.monotonicMs() - cutMs).toBeLessThan(17_000);
    const away = await kubectl(['exec', 'shell-lite', '--', 'true']);
    expect(away.stderr).toContain(`node ${nodes.lite} is not connected`);
    expect(await kubectl(['exec', 'shell-converted', '--', 'true'])).toMatchObject({ exitCode: 0 });
    await bed.heal(sites.lite);
    await until('the tunnel', async () => {
      const { exitCode } = await kubectl(['exec', 'shell-lite', '--', 'true']);
      return exitCode === 0;
    });
  });
});

describe('a banned node', () => {
  const node = nodes.converted;

  it('is cut off in the middle of a stream, and stays so', async () => {
    const following = start(kubectlArgv('logs', '--follow', 'shell-converted'));
    await line(following, /two/);
    const ended = once(following, 'close');
    await bed.kubectl(['patch', 'edgenode', node, '--type=merge', '--patch={"spec":{"banned":true}}']);
    await ended;
    const refused = await until('the end of the tunnel', async () => {
      const said = await kubectl(['exec', 'shell-converted', '--', 'true']);
      return said.exitCode !== 0 && said;
    });
    expect(refused.stderr).toContain(`node ${node} is not connected`);
    expect(await kubectl(['exec', 'shell-lite', '--', 'true'])).toMatchObject({ exitCode: 0 });
  });

  it('comes back when the ban is lifted', async () => {
    await bed.kubectl(['patch', 'edgenode', node, '--type=merge', '--patch={"spec":{"banned":false}}']);
    await until('the tunnel', async () => {
      const { exitCode } = await kubectl(['exec', 'shell-converted', '--', 'true']);
      return exitCode === 0;
    });
  });
});
