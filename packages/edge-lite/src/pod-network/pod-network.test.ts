import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, createListeners, ifPresent, silentLogger, systemClock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import type { Node } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ShownNode } from '../node/index.ts';
import { renderConflist } from './conflist.ts';
import { createPodNetwork } from './pod-network.ts';

const { signal } = new AbortController();
const addresses = '/var/lib/selvedge/pod-addresses';

interface Plugin {
  readonly type: string;
  readonly [field: string]: unknown;
}

function pluginsOf(text: string): readonly Plugin[] {
  return (JSON.parse(text) as { readonly plugins: readonly Plugin[] }).plugins;
}

describe('the network of pods', () => {
  it('has a bridge with addresses of the node, masqueraded, and host ports', () => {
    const [bridge, ports] = pluginsOf(renderConflist({ bridge: 'b0', ranges: ['10.244.3.0/24'], addresses }));
    expect(bridge).toMatchObject({
      type: 'bridge',
      bridge: 'b0',
      ipMasq: true,
      ipam: {
        type: 'host-local',
        dataDir: addresses,
        ranges: [[{ subnet: '10.244.3.0/24' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    });
    expect(ports?.type).toBe('portmap');
  });

  it('has an address and a route of each family', () => {
    const ranges = ['10.244.3.0/24', 'fd00:1::/64'];
    expect(pluginsOf(renderConflist({ bridge: 'b0', ranges, addresses }))[0]).toMatchObject({
      ipam: {
        ranges: [[{ subnet: '10.244.3.0/24' }], [{ subnet: 'fd00:1::/64' }]],
        routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      },
    });
  });
});

describe('its configuration', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pod-network-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function start(
    file: string,
    log: Logger = silentLogger,
  ): AsyncDisposable & { readonly show: (ranges: readonly string[]) => void } {
    const listeners = createListeners<void>(silentLogger);
    let shown: ReturnType<ShownNode['get']> = { kind: 'unknown' };
    const service = createPodNetwork(
      { file, bridge: 'b0', addresses },
      {
        shown: { get: () => shown, subscribe: listeners.add },
        clock: systemClock,
        log,
      },
    );
    void service.start(signal);
    return {
      show(podCIDRs) {
        const object: Node = { metadata: { name: 'n' }, spec: { podCIDRs: [...podCIDRs] } };
        shown = { kind: 'present', object };
        listeners.tell();
      },
      [Symbol.asyncDispose]: () => service.stop(),
    };
  }
  const read = (file: string): Promise<string | undefined> => ifPresent(readFile(file, 'utf8'));

  it('is written once the cloud has given a range, and anew when it gives another', async () => {
    const file = join(folder, '99-selvedge.conflist');
    await using network = start(file);
    network.show([]);
    for (const range of ['10.244.3.0/24', '10.244.9.0/24']) {
      network.show([range]);
      await vi.waitFor(async () => expect(await read(file)).toContain(range), { timeout: 30_000 });
    }
  });

  it('that is right is left alone', async () => {
    const file = join(folder, 'a');
    const ranges = ['10.244.3.0/24'];
    await writeFile(file, renderConflist({ bridge: 'b0', ranges, addresses }));
    const log = recordingLogger();
    await using network = start(file, log);
    network.show(ranges);
    network.show(['10.244.4.0/24']);
    await vi.waitFor(() => expect(log.lines).not.toEqual([]), { timeout: 30_000 });
    expect(log.lines).toMatchObject([{ fields: { ranges: '10.244.4.0/24' } }]);
  });

  it('is tried again where it cannot be written', async () => {
    const file = join(folder, 'net.d', 'a');
    await using network = start(file);
    network.show(['10.244.3.0/24']);
    await mkdir(join(folder, 'net.d'));
    network.show(['10.244.3.0/24']);
    await vi.waitFor(async () => expect(await read(file)).toContain('10.244.3.0'), { timeout: 60_000 });
  });
});
