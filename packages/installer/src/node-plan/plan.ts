import { dirname, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { ClusterTarget } from '@selvedge/kube';
import { stringify } from 'yaml';
import type { NodeFacts } from '../facts/index.ts';
import type { KubeProxyLayout, Layout } from '../layouts/index.ts';
import { defaultPorts, hubAddress, places } from '../places.ts';
import type { Step } from '../steps/index.ts';
import { tunnelFiles } from '../tunnel/index.ts';
import { edgeLiteConfig } from './edge-lite-config.ts';
import { hubTarget, redirectInPlace, redirectedCopy } from './redirect.ts';
import type { ConversionOptions } from './types.ts';

interface Planning {
  readonly facts: NodeFacts;
  readonly layout: Layout;
  readonly options: ConversionOptions;
  readonly target: ClusterTarget;
}

const awaitHubMs = 60_000;

/** The folders in which files come and go that are not in one of ours. */
function timesOf({ kubelet, kubeProxy }: Layout): Step {
  const { change } = kubelet;
  const edited =
    change.kind === 'argument'
      ? [change.folder, dirname(change.folder), dirname(dirname(change.folder))]
      : [dirname(kubelet.kubeconfig)];
  const proxy = kubeProxy.kind === 'unit' ? [dirname(kubeProxy.kubeconfig)] : [];
  const ours = [places.executable, places.unitFile, places.configFolder].map((path) => dirname(path));
  const paths = new Set([
    ...ours,
    places.wants,
    places.configFolder,
    dirname(places.wants),
    ...edited,
    ...proxy,
  ]);
  return { kind: 'times', paths: [...paths].toSorted() };
}

/** edge-lite, at work with the node's identity and a hub that answers. */
function edgeLiteSteps({ layout, options }: Planning): readonly Step[] {
  const { executable, unit, tunnel } = options;
  const { kubeProxy } = layout;
  const aside: readonly Step[] =
    kubeProxy.kind === 'unit' && kubeProxy.user !== undefined
      ? [
          {
            kind: 'copy',
            from: [{ path: kubeProxy.kubeconfig }],
            path: places.kubeProxyKubeconfig,
            mode: 0o600,
          },
        ]
      : [];
  return [
    { kind: 'folder', path: places.configFolder, mode: 0o700 },
    { kind: 'tree', path: places.state, mode: 0o700 },
    { kind: 'tree', path: places.pki, mode: 0o700 },
    { kind: 'leftover', what: 'address', name: hubAddress },
    { kind: 'upload', path: places.executable, mode: 0o755, ...executable },
    { kind: 'file', path: places.clusterCa, mode: 0o644, content: layout.clusterCa },
    ...tunnelFiles(tunnel),
    { kind: 'copy', from: layout.identity, path: places.identity, mode: 0o600 },
    ...aside,
    { kind: 'file', path: places.config, mode: 0o600, content: edgeLiteConfig(layout, options) },
    // One for the way forth, one for the way back.
    { kind: 'reload' },
    { kind: 'file', path: places.unitFile, mode: 0o644, content: unit },
    { kind: 'reload' },
    { kind: 'unit', name: places.unit },
    { kind: 'await', path: places.hubCa, unit: places.unit, timeoutMs: awaitHubMs },
  ];
}

/** Changes that a unit reads when it starts. */
const around = (name: string, steps: readonly Step[]): readonly Step[] => [
  { kind: 'restart', name, on: 'undo' },
  ...steps,
  { kind: 'restart', name, on: 'apply' },
];

/** Arguments for what k3s and RKE2 start. Source: docs.k3s.io "Configuration File", on `+`. */
function dropInOf(kubeProxy: KubeProxyLayout): string {
  const proxy = kubeProxy.kind === 'argument' ? [`kubeconfig=${places.kubeProxyKubeconfig}`] : [];
  return stringify({
    'kubelet-arg+': [`kubeconfig=${places.kubeletKubeconfig}`],
    ...(proxy.length === 0 ? {} : { 'kube-proxy-arg+': proxy }),
  });
}

/** The kubelet's kubeconfig is made anew at each start of its unit, so others are named in a part of the configuration. */
function argumentSteps({ facts, layout, target }: Planning, folder: string): readonly Step[] {
  const { kubelet, kubeProxy } = layout;
  const copies: readonly (readonly [string, string])[] = [
    [kubelet.kubeconfig, places.kubeletKubeconfig],
    ...(kubeProxy.kind === 'argument' ? [[kubeProxy.kubeconfig, places.kubeProxyKubeconfig] as const] : []),
  ];
  const files = copies.map(([from, path]): Step => {
    return { kind: 'file', path, mode: 0o600, content: redirectedCopy(facts, from, target) };
  });
  const dropIn: Step = {
    kind: 'file',
    path: join(folder, places.rancherDropIn),
    mode: 0o600,
    content: dropInOf(kubeProxy),
  };
  // Without a configuration of its own the outer one may not be there.
  const folders = [dirname(folder), folder].map((path): Step => ({ kind: 'folder', path, mode: 0o755 }));
  return [...files, ...around(kubelet.unit, [...folders, dropIn])];
}

function kubeletSteps(planning: Planning): readonly Step[] {
  const { facts, layout, target } = planning;
  const { kubelet, kubeProxy } = layout;
  if (kubelet.change.kind === 'argument') return argumentSteps(planning, kubelet.change.folder);
  return [
    ...around(kubelet.unit, [redirectInPlace(facts, kubelet.kubeconfig, target)]),
    ...(kubeProxy.kind === 'unit'
      ? around(kubeProxy.unit, [redirectInPlace(facts, kubeProxy.kubeconfig, target)])
      : []),
  ];
}

/**
 * The steps that make an edge node of a node, the smallest that do. Empty if it is one. Pure. Throws `Conflict` if the
 * layout has obstacles, or a file cannot be edited.
 */
export function planConversion(
  facts: NodeFacts,
  layout: Layout,
  options: ConversionOptions,
): readonly Step[] {
  if (layout.converted) return [];
  if (layout.obstacles.length > 0) {
    throw new SelvedgeError(`${layout.nodeName} cannot be converted: ${layout.obstacles.join('; ')}`, {
      code: 'Conflict',
      hint: 'run `selvedge check` for what to do about it',
    });
  }
  const target = hubTarget(options.hubPort ?? defaultPorts.hub);
  const planning = { facts, layout, options, target };
  return [timesOf(layout), ...edgeLiteSteps(planning), ...kubeletSteps(planning)];
}
