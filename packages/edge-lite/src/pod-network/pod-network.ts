import { readFile } from 'node:fs/promises';
import {
  type Clock,
  type Logger,
  type Service,
  createPoke,
  createTaskGroup,
  ifPresent,
  writeFileAtomic,
} from '@selvedge/kit';
import type { Node } from '@selvedge/kube/types';
import type { ShownNode } from '../node/index.ts';
import { renderConflist } from './conflist.ts';

export interface PodNetworkOptions {
  /** Of the CNI configuration, in a folder that the runtime reads. */
  readonly file: string;
  readonly bridge: string;
  /** Where host-local keeps its addresses. */
  readonly addresses: string;
}

export interface PodNetworkDeps {
  readonly shown: ShownNode;
  readonly clock: Clock;
  readonly log: Logger;
}

/** After a write that failed, in milliseconds. */
const retryMs = 5_000;

function rangesOf(node: Node): readonly string[] {
  const { podCIDR, podCIDRs } = node.spec ?? {};
  return podCIDRs ?? (podCIDR === undefined ? [] : [podCIDR]);
}

/**
 * Writes the CNI configuration once the cloud has given the Node its ranges, and anew when they change. Until then the
 * runtime has no network, and the node is not Ready. Without a cloud the Node of the last time is known.
 */
export function createPodNetwork(options: PodNetworkOptions, deps: PodNetworkDeps): Service {
  const { file, bridge, addresses } = options;
  const { shown, clock, log } = deps;
  const poke = createPoke(clock);
  const tasks = createTaskGroup(
    { name: 'pod network' },
    { onFailure: (error) => log.error('the network of the pods is not looked after', { file, error }) },
  );
  const ensure = async (): Promise<void> => {
    const node = shown.get();
    const ranges = node.kind === 'present' ? rangesOf(node.object) : [];
    if (ranges.length === 0) return;
    const text = renderConflist({ bridge, ranges, addresses });
    if ((await ifPresent(readFile(file, 'utf8'))) === text) return;
    await writeFileAtomic(file, text);
    log.info('network of the pods configured', { file, ranges: ranges.join(',') });
  };
  const keep = async (signal: AbortSignal): Promise<void> => {
    using changes = new DisposableStack();
    changes.use(shown.subscribe(() => poke.poke()));
    for (;;) {
      let waitMs: number | undefined;
      try {
        await ensure();
      } catch (error) {
        waitMs = retryMs;
        log.warn('the network of the pods cannot be configured', { file, error });
      }
      await poke.wait(waitMs, signal);
    }
  };
  return {
    name: 'pod network',
    async start() {
      tasks.run('keep', keep);
    },
    stop: () => tasks.stop(),
  };
}
