import { SelvedgeError } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { hubRequest, nodeCaller } from '../forward/testing.ts';
import type { Caller } from '../request.ts';
import { localPod } from '../views/testing.ts';
import type { LocalPod } from './local-pods.ts';
import { noticeRootCa } from './root-ca-reads.ts';
import { type Trust, createTrust } from './trust.ts';

const never = new AbortController().signal;
const [node, web, other] = ['192.168.50.11', '10.1.0.1', '10.1.0.9'] as const;

let store: TemporaryStore;
let running: Trust[];
beforeEach(async () => {
  store = await createTemporaryStore();
  running = [];
});
afterEach(async () => {
  for (const trust of running) await trust.stop();
  await store[Symbol.asyncDispose]();
});

class World {
  readonly clock = createManualClock(0);
  readonly log = recordingLogger();
  readonly pki = {
    authorities: ['one'] as readonly string[],
    signer: 'one' as string | undefined,
    onChange: (changed: () => void): Disposable => {
      this.changed = changed;
      return { [Symbol.dispose]: () => undefined };
    },
  };
  changed: () => void = () => undefined;
  complete = true;
  diskIsFull = false;
  pods: LocalPod[] = [];

  async trust(readsReplica = false): Promise<Trust> {
    const { runtime } = store.store;
    const all = (): readonly LocalPod[] => this.pods;
    const complete = (): boolean => this.complete;
    const put: typeof runtime.put = (...row) => {
      if (this.diskIsFull) throw new SelvedgeError('full', { code: 'ResourceExhausted' });
      runtime.put(...row);
    };
    const trust = createTrust(
      { readsReplica },
      {
        pki: this.pki,
        pods: {
          get complete() {
            return complete();
          },
          values: () => new Map(all().entries()).values(),
          at: (address) => all().find((pod) => !pod.hostNetwork && pod.addresses.includes(address)),
        },
        machineAddresses: () => [node],
        runtime: { ...runtime, put },
        clock: this.clock,
        log: this.log,
      },
    );
    running.push(trust);
    await trust.start(never);
    await this.clock.advance(0);
    return trust;
  }

  runs(name: string, containers: readonly string[], rest: Partial<LocalPod> = {}): void {
    this.pods = [...this.pods.filter((pod) => pod.name !== name), localPod(name, { containers, ...rest })];
  }
}

const names = (trust: Trust): readonly string[] => trust.waiting.map(({ name }) => name);

describe('trust in the hub', () => {
  it('is nobody’s before the kubelet had the authority from the hub', async () => {
    const world = new World();
    const trust = await world.trust();
    world.runs('web', ['c-1']);
    await world.clock.advance(600_000);
    expect([web, other, node].map((address) => trust.distrusts(address))).toEqual([true, true, true]);
    expect(names(trust)).toEqual(['web']);
  });

  it('comes with the next start of a container, whatever the clock says', async () => {
    const world = new World();
    world.runs('web', ['c-1']);
    const trust = await world.trust();
    trust.served();
    expect(trust.distrusts(`::ffff:${web}`)).toBe(true);
    world.runs('new', ['n-1'], { addresses: [other] });
    expect(trust.distrusts(other)).toBe(false);
    world.runs('web', ['c-2']);
    expect(trust.distrusts(web)).toBe(true);
    await world.clock.advance(120_000);
    expect(trust.distrusts(web)).toBe(true);
    expect(names(trust)).toEqual(['web']);
    world.runs('web', ['c-3']);
    expect(trust.distrusts(web)).toBe(false);
    expect(names(trust)).toEqual([]);
  });

  it('is remembered, also how far it had come', async () => {
    const world = new World();
    world.runs('web', ['c-1']);
    const first = await world.trust();
    first.served();
    await first.stop();
    await store.reopen();
    world.runs('late', ['l-1'], { addresses: [other] });
    const second = await world.trust();
    expect([second.distrusts(web), second.distrusts(other)]).toEqual([true, false]);
    await world.clock.advance(120_000);
    await second.stop();
    await store.reopen();
    const third = await world.trust();
    expect([third.distrusts(web), third.distrusts(other)]).toEqual([true, false]);
    world.runs('web', ['c-2']);
    expect(third.distrusts(web)).toBe(false);
  });

  it('is of one authority: when another signs, it begins anew', async () => {
    const world = new World();
    world.runs('web', ['c-1']);
    const trust = await world.trust();
    trust.served();
    await world.clock.advance(120_000);
    world.runs('web', ['c-2']);
    world.pki.authorities = ['two', 'one'];
    world.changed();
    await world.clock.advance(0);
    await world.clock.advance(120_000);
    expect(trust.distrusts(web)).toBe(false);
    world.pki.authorities = ['two'];
    world.pki.signer = 'two';
    expect(trust.distrusts(web)).toBe(true);
    world.runs('web', ['c-3']);
    expect(trust.distrusts(web)).toBe(false);
  });

  it('of the machine’s own addresses waits for the last pod with the host’s network that reads the authority', async () => {
    const world = new World();
    const host = { hostNetwork: true, addresses: [node] };
    world.runs('proxy', ['p-1'], { ...host, readsRootCa: false });
    world.runs('cni', ['i-1', 'side-1'], host);
    const trust = await world.trust();
    trust.served();
    await world.clock.advance(120_000);
    expect(trust.distrusts(node)).toBe(true);
    expect(names(trust)).toEqual(['cni']);
    world.runs('cni', ['i-2', 'side-1'], host);
    expect(trust.distrusts(node)).toBe(true);
    world.runs('cni', ['i-2', 'side-2'], host);
    expect(trust.distrusts(node)).toBe(false);
  });

  it('begins only when all pods are known', async () => {
    const world = new World();
    world.complete = false;
    const trust = await world.trust();
    trust.served();
    expect(trust.distrusts(web)).toBe(true);
    world.runs('web', ['c-1']);
    world.complete = true;
    await world.clock.advance(250);
    expect([trust.distrusts(web), trust.distrusts(other)]).toEqual([true, false]);
  });

  it('begins by itself where pods are started by this process', async () => {
    const world = new World();
    const trust = await world.trust(true);
    world.runs('web', ['c-1']);
    expect(trust.distrusts(web)).toBe(false);
  });

  it('is not shaken by a full disk', async () => {
    const world = new World();
    world.diskIsFull = true;
    const trust = await world.trust();
    trust.served();
    await world.clock.advance(120_000);
    world.runs('web', ['c-1']);
    expect(trust.distrusts(web)).toBe(false);
    expect(world.log.lines.some(({ level }) => level === 'warn')).toBe(true);
  });
});

const user = { username: 'app', groups: [] };
const token: Caller = { kind: 'token', token: 't', pod: undefined, user };

it.each([
  ['/api/v1/namespaces/a/configmaps/kube-root-ca.crt', nodeCaller, 200, true],
  [
    '/api/v1/namespaces/a/configmaps?watch=true&fieldSelector=metadata.name%3Dkube-root-ca.crt',
    nodeCaller,
    200,
    true,
  ],
  ['/api/v1/namespaces/a/configmaps/other', nodeCaller, 200, false],
  ['/api/v1/namespaces/a/configmaps', nodeCaller, 200, false],
  ['/api/v1/namespaces/a/configmaps/kube-root-ca.crt', nodeCaller, 404, false],
  ['/api/v1/namespaces/a/configmaps/kube-root-ca.crt', token, 200, false],
] as const)(
  'the kubelet has the authority after GET %s by %o, answered %i: %s',
  async (path, caller, status, has) => {
    let served = false;
    const handler = noticeRootCa(
      async () => ({ status, headers: {}, body: Buffer.from('{}') }),
      () => (served = true),
    );
    await handler(hubRequest('GET', path, { caller }));
    expect(served).toBe(has);
  },
);
