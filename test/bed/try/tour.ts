import { Bed } from '../bed.ts';
import type { BedDeps } from '../context.ts';
import { applyManifests } from '../kubectl.ts';
import { waitFor } from '../wait.ts';
import { app, helloManifests, port } from './hello.ts';

export interface TourOptions {
  /** The bed's name. */
  readonly bed: string;
  readonly signal: AbortSignal;
}

export interface TourDeps {
  readonly deps: BedDeps;
  /** Receives what people came for, a line at a time. */
  readonly print: (line: string) => void;
}

interface Tour extends TourOptions, TourDeps {
  readonly bed: string;
  readonly cluster: Bed;
}

const nodes = ['lite-1', 'lite-2'] as const;

/** Shows what kubectl shows. */
async function show({ cluster, print, signal }: Tour, title: string, args: readonly string[]): Promise<void> {
  const { stdout } = await cluster.kubectl(args, { signal });
  print(`\n${title}\n$ hack/bed kubectl ${args.join(' ')}`);
  print(stdout.trimEnd());
}

async function rollOut(tour: Tour): Promise<void> {
  const { cluster, deps, signal } = tour;
  await applyManifests(cluster.kubectl, helloManifests(nodes), signal);
  await deps.setup.progress.step({ title: `roll out deployment/${app}` }, () =>
    cluster.kubectl(['rollout', 'status', `deployment/${app}`, '--timeout=120s'], { signal }),
  );
  await show(tour, 'A Deployment of four pods runs on them:', [
    'get',
    'pods',
    '-o',
    'wide',
    `--selector=app=${app}`,
  ]);
}

/** Asks a pod of the second node from the first one: the cloud itself cannot dial in. */
async function ask({ cluster, deps, print, signal }: Tour): Promise<void> {
  const path = '{.items[0].status.podIP}';
  const selector = [`--selector=app=${app}`, `--field-selector=spec.nodeName=${nodes[1]}`];
  const { stdout: address } = await cluster.kubectl(['get', 'pods', ...selector, '-o', `jsonpath=${path}`], {
    signal,
  });
  const url = `http://${address}:${port}/hostname`;
  const answer = await waitFor({ what: `an answer of ${url}`, signal }, deps.clock, async () => {
    const { stdout } = await cluster.exec(nodes[0], ['busybox', 'wget', '-qO-', '-T', '2', url]);
    return stdout.trim();
  });
  print(`\nA pod answers inside the site:\n$ hack/bed shell ${nodes[0]} busybox wget -qO- ${url}\n${answer}`);
}

function sayWhatNext({ bed, print }: Tour): void {
  const flag = bed === 'bed' ? '' : ` --bed ${bed}`;
  print(`
The cluster stays up. Type next:
  hack/bed${flag} status                                    what there is
  hack/bed${flag} kubectl scale deployment/${app} --replicas=8   kubectl, as you know it
  hack/bed${flag} cut site-1                                cut the site off; its pods go on
  hack/bed${flag} heal site-1                               and back
  hack/bed${flag} logs edge-lite.lite-1                     what the node's agent says
  hack/try --down                                  remove it all`);
}

/** Brings up the bed, joins two lite nodes, rolls out a Deployment and asks one of its pods. The bed stays up. */
export async function runTour(options: TourOptions, deps: TourDeps): Promise<void> {
  const { signal } = options;
  await deps.deps.setup.preflight();
  const cluster = await Bed.up({ name: options.bed, signal }, deps.deps);
  const tour: Tour = { ...options, ...deps, cluster };
  const present = (await cluster.describe()).nodes.map(({ name }) => name);
  for (const name of nodes) {
    if (!present.includes(name)) await cluster.addNode({ name, agent: 'lite', kubeProxy: true }, signal);
  }
  await show(tour, 'Two lite nodes have joined, without a kubelet:', ['get', 'nodes', '-o', 'wide']);
  await rollOut(tour);
  await ask(tour);
  sayWhatNext(tour);
}
