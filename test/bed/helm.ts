import { type CommandResult, run } from '@selvedge/hack/setup';

/** The chart that we ship. */
export const chartFolder = new URL('../../charts/selvedge', import.meta.url).pathname;

/** Runs helm as an administrator. Rejects with what it said if it fails. */
export type Helm = (...args: readonly string[]) => Promise<CommandResult>;

export interface HelmOptions {
  readonly program: string;
  readonly kubeconfig: string;
  /** What it remembers goes there. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

export function createHelm({ program, kubeconfig, folder, signal }: HelmOptions): Helm {
  const env = { HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  return (...args) => run({ argv: [program, `--kubeconfig=${kubeconfig}`, ...args], env, signal });
}
