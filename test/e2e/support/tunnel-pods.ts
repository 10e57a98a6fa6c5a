import type { Container } from '@selvedge/kube/types';
import { pod, running, shell, webServer } from './pods.ts';

/** Ports of the programs in the pod. */
export const ports = { web: 8080, echo: 9000, parting: 9001 } as const;

/** How much the server at `parting` says to anybody before it hangs up. */
export const partingBytes = 3_000_000;

const server = (name: string, port: number, program: string): Container =>
  shell(`exec nc -ll -p ${port} -e ${program}`, { name });

/** What people do with a pod by kubectl: a program for each of it. */
const containers: readonly Container[] = [
  running('echo one; echo two'),
  running('echo three', { name: 'beside' }),
  webServer({ name: 'web' }),
  server('echo', ports.echo, 'cat'),
  server('parting', ports.parting, `head -c ${partingBytes} /dev/zero`),
  shell('while read -r line; do echo "heard $line"; done', { name: 'ear', stdin: true }),
  shell('while read -r line; do echo "heard $line, $(stty size)"; done', {
    name: 'desk',
    stdin: true,
    tty: true,
  }),
  running('i=0; while :; do i=$((i + 1)); echo $i; sleep 0.2; done', { name: 'ticker' }),
  running('[ -e /memory/gone ] || { touch /memory/gone; echo last words; exit 1; }; echo back', {
    name: 'fallen',
    volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
  }),
];

/** The name of a node's pod, and of the Service in front of its web server, port 80. */
export const podOf = (node: string): string => `tools-${node}`;

/** The pod of a node, and its Service. */
export function toolObjects(node: string): readonly object[] {
  const name = podOf(node);
  const labels = { app: name };
  const volumes = [{ name: 'memory', emptyDir: {} }];
  const annotations = { 'kubectl.kubernetes.io/default-container': 'main' };
  const tools = pod({ name, node, labels, annotations, volumes, containers });
  const spec = { selector: labels, ports: [{ port: 80, targetPort: ports.web }] };
  return [
    { apiVersion: 'v1', kind: 'Pod', ...tools },
    { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec },
  ];
}
