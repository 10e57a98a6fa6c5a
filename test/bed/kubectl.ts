import { type CommandResult, run } from '@selvedge/hack/setup';
import type { Manifest } from './control-plane/objects.ts';

export interface KubectlOptions {
  /** Written to stdin, for `-f -`. */
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs kubectl as an administrator of the bed. Rejects with what it said if it fails. */
export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<CommandResult>;

export function createKubectl(options: { readonly program: string; readonly kubeconfig: string }): Kubectl {
  return (args, { input, signal } = {}) =>
    run({
      argv: [options.program, `--kubeconfig=${options.kubeconfig}`, ...args],
      ...(input === undefined ? {} : { input }),
      signal,
    });
}

/** Applies objects on the server's side; again and again with the same outcome. */
export async function applyManifests(
  kubectl: Kubectl,
  manifests: readonly Manifest[],
  signal?: AbortSignal,
): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: manifests };
  const args = [
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=selvedge-bed',
    '--filename=-',
  ];
  await kubectl(args, { input: JSON.stringify(list), signal });
}
