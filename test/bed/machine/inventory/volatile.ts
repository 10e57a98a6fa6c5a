import type { VolatilePath } from './types.ts';

const left = (reason: string, ...paths: readonly string[]): readonly VolatilePath[] =>
  paths.map((path) => ({ path, what: 'all', reason }));

const kubelet = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `/var/lib/kubelet/${name}`);

/** What changes on a machine that nobody touches. Narrow: whatever is here, no test sees. */
export const volatilePaths: readonly VolatilePath[] = [
  ...left('logs grow', '/var/log'),
  ...left('the container runtime writes down what runs', '/var/lib/containerd'),
  ...left('libcni writes down which sandbox has which address', '/var/lib/cni'),
  ...left('pods come and go', ...kubelet('pods', 'usernamespaces')),
  ...left(
    'the kubelet makes its sockets anew at each start',
    ...kubelet('device-plugins', 'pod-resources', 'plugins', 'plugins_registry'),
  ),
  ...left(
    'the kubelet writes down which pods have which resources',
    ...kubelet(
      'actuated_pods_state',
      'allocated_pods_state',
      'checkpoints',
      'cpu_manager_state',
      'dra_manager_state',
      'graceful_node_shutdown_state',
      'memory_manager_state',
    ),
  ),
  ...left('systemd gives units temporary folders of their own', '/var/tmp/systemd-private-*'),
  ...left(
    'systemd writes it by the clock and at shutdown',
    '/var/lib/systemd/random-seed',
    '/var/lib/systemd/timers',
  ),
];
