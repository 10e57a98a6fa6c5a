import { join } from 'node:path';
import { SelvedgeError, systemCode, type Logger } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import {
  boundedShares,
  cpuWeight,
  podCgroup,
  podLimits,
  qosCgroup,
  sharesOfWeight,
  type CgroupFacts,
} from '../spec/index.ts';
import { cgroupsIn, processesIn, readText, removeTree, writeText, type RemoveCgroup } from './files.ts';
import { hierarchiesV1, hierarchyV2, makeCgroup, type Hierarchy } from './hierarchy.ts';
import { settingsV1, settingsV2, type Setting } from './settings.ts';
import type { PodCgroups } from './types.ts';

export interface PodCgroupsOptions extends CgroupFacts {
  /** Default `/sys/fs/cgroup`. */
  readonly mount?: string;
  /** Huge page sizes that the kernel knows: `2MB`. */
  readonly hugePageSizes: readonly string[];
}

export interface PodCgroupsDeps {
  readonly log: Logger;
  readonly removeCgroup: RemoveCgroup;
  /** Ends a process for good. */
  readonly kill: (pid: number) => void;
}

const classes = ['Guaranteed', 'Burstable', 'BestEffort'] as const;
const prefix = 'pod';

interface Version {
  readonly hierarchies: (mount: string) => Promise<readonly Hierarchy[]>;
  readonly settings: typeof settingsV1;
  readonly weightFile: string;
  readonly toWeight: (shares: bigint) => bigint;
  readonly fromWeight: (weight: bigint) => bigint;
}

const versions: Readonly<Record<CgroupFacts['version'], Version>> = {
  1: {
    hierarchies: hierarchiesV1,
    settings: settingsV1,
    weightFile: 'cpu.shares',
    toWeight: boundedShares,
    fromWeight: (weight) => weight,
  },
  2: {
    hierarchies: async (mount) => [await hierarchyV2(mount)],
    settings: settingsV2,
    weightFile: 'cpu.weight',
    toWeight: cpuWeight,
    fromWeight: sharesOfWeight,
  },
};

const concerns = ({ controllers }: Hierarchy, controller: string): boolean =>
  controllers.length === 0 || controllers.includes(controller);

class FileCgroups implements PodCgroups {
  readonly #options: PodCgroupsOptions;
  readonly #deps: PodCgroupsDeps;
  readonly #version: Version;
  #hierarchies: readonly Hierarchy[] = [];

  constructor(options: PodCgroupsOptions, deps: PodCgroupsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#version = versions[options.version];
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#hierarchies = await this.#version.hierarchies(this.#options.mount ?? '/sys/fs/cgroup');
    for (const hierarchy of this.#hierarchies) {
      for (const quality of classes) {
        signal.throwIfAborted();
        await makeCgroup(hierarchy, qosCgroup(quality, this.#options));
      }
    }
    await this.#weigh('BestEffort', 0n);
    await this.#weighBurstable();
  }

  async ensure(pod: Pod, signal: AbortSignal): Promise<void> {
    const settings = this.#version.settings(podLimits(pod), this.#options.hugePageSizes);
    for (const hierarchy of this.#hierarchies) {
      signal.throwIfAborted();
      const path = await makeCgroup(hierarchy, podCgroup(pod, this.#options));
      await this.#set(hierarchy, path, settings);
    }
    await this.#weighBurstable();
  }

  async remove(podUid: string, signal: AbortSignal): Promise<void> {
    for (const path of this.#placesOf(`${prefix}${podUid}`)) {
      signal.throwIfAborted();
      await this.#removeOne(path);
    }
    await this.#weighBurstable();
  }

  async uids(signal: AbortSignal): Promise<readonly string[]> {
    const uids = new Set<string>();
    for (const folder of this.#placesOf('')) {
      signal.throwIfAborted();
      const names = await cgroupsIn(folder);
      for (const name of names.filter((each) => each.startsWith(prefix))) uids.add(name.slice(prefix.length));
    }
    return [...uids];
  }

  /** `name` in each class of each hierarchy. */
  #placesOf(name: string): readonly string[] {
    return this.#hierarchies.flatMap(({ path }) =>
      classes.map((quality) => join(path, qosCgroup(quality, this.#options), name)),
    );
  }

  async #set(hierarchy: Hierarchy, path: string, settings: readonly Setting[]): Promise<void> {
    for (const { file, value } of settings.filter(({ controller }) => concerns(hierarchy, controller))) {
      try {
        await writeText(join(path, file), value);
      } catch (error) {
        // As the kubelet: a pod that cannot be limited as a whole still runs, its containers have limits of their own.
        this.#deps.log.warn('cgroup of a pod not set', { path, file, value, error });
      }
    }
  }

  async #removeOne(path: string): Promise<void> {
    try {
      await removeTree(path, this.#deps.removeCgroup);
    } catch (cause) {
      if (systemCode(cause) !== 'EBUSY') throw cause;
      const processes = await processesIn(path);
      // Those of a foreign pid namespace show as 0, which to `kill` means everything in our own process group.
      for (const pid of processes.filter((one) => one > 1)) this.#deps.kill(pid);
      const text = `cgroup ${path} is in use by ${processes.length} process(es)`;
      throw new SelvedgeError(text, { code: 'Unavailable', cause });
    }
  }

  async #weigh(quality: (typeof classes)[number], shares: bigint): Promise<void> {
    for (const hierarchy of this.#hierarchies.filter((each) => concerns(each, 'cpu'))) {
      const file = join(hierarchy.path, qosCgroup(quality, this.#options), this.#version.weightFile);
      await writeText(file, String(this.#version.toWeight(shares)));
    }
  }

  /** Burstable pods together weigh as much as they asked for; read from their cgroups, which outlive this process. */
  async #weighBurstable(): Promise<void> {
    const { weightFile, fromWeight } = this.#version;
    let sum = 0n;
    for (const hierarchy of this.#hierarchies.filter((each) => concerns(each, 'cpu'))) {
      const folder = join(hierarchy.path, qosCgroup('Burstable', this.#options));
      for (const name of await cgroupsIn(folder)) {
        sum += fromWeight(BigInt((await readText(join(folder, name, weightFile))) ?? '2'));
      }
    }
    await this.#weigh('Burstable', sum);
  }
}

/** systemd makes slices as the runtime asks for them, and removes those that nobody uses. */
const leftToSystemd: PodCgroups = {
  start: async () => undefined,
  ensure: async () => undefined,
  remove: async () => undefined,
  uids: async () => [],
};

/** Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/; `pkg/kubelet/cm` of Kubernetes 1.36. */
export function createPodCgroups(options: PodCgroupsOptions, deps: PodCgroupsDeps): PodCgroups {
  return options.driver === 'systemd' ? leftToSystemd : new FileCgroups(options, deps);
}
