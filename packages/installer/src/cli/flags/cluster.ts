import type { Command } from 'commander';

/** Which cluster. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** `otherwise`: what is used without `--kubeconfig`. */
export function withCluster(command: Command, otherwise = '$KUBECONFIG, else ~/.kube/config'): Command {
  return command
    .option('--kubeconfig <file>', `kubeconfig file; default: ${otherwise}`)
    .option('--context <name>', 'context in the kubeconfig; default: its current context');
}
