import { Bed, defaultBedName } from '../bed.ts';
import { table } from '../cli/terminal.ts';
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

/** What people type for this bed. */
const commandOf = ({ bed }: TourOptions): string =>
  bed === defaultBedName ? 'hack/bed' : `hack/bed --bed ${bed}`;

/** Shows what kubectl shows. */
async function show(tour: Tour, title: string, args: readonly string[]): Promise<void> {
  const { stdout } = await tour.cluster.kubectl(args, { signal: tour.signal });
  tour.print(`\n${title}\n$ ${commandOf(tour)} kubectl ${args.join(' ')}\n${stdout.trimEnd()}`);
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
async function ask(tour: Tour): Promise<void> {
  const { cluster, deps, signal } = tour;
  const path = '{.items[0].status.podIP}';
  const selector = [`--selector=app=${app}`, `--field-selector=spec.nodeName=${nodes[1]}`];
  const { stdout: address } = await cluster.kubectl(['get', 'pods', ...selector, '-o', `jsonpath=${path}`], {
    signal,
  });
  const url = `http://${address}:${port}/hostname`;
  const answer = await waitFor({ what: `an answer of ${url}`, signal }, deps.clock, async () => {
    const { stdout } = await cluster.exec(nodes[0], ['timeout', '5', 'busybox', 'wget', '-qO-', url]);
    return stdout.trim();
  });
  const typed = `${commandOf(tour)} shell ${nodes[0]} busybox wget -qO- ${url}`;
  tour.print(`\nA pod answers inside the site:\n$ ${typed}\n${answer}`);
}

function sayWhatNext(tour: Tour): void {
  const hackBed = commandOf(tour);
  const next = [
    [`${hackBed} status`, 'what there is'],
    [`${hackBed} kubectl scale deployment/${app} --replicas=8`, 'kubectl, as you know it'],
    [`${hackBed} cut site-1`, 'cut the site off; its pods go on'],
    [`${hackBed} heal site-1`, 'and back'],
    [`${hackBed} logs edge-lite.${nodes[0]}`, 'what the agent of a node says'],
    [`${hackBed} down`, 'remove it all'],
  ];
  tour.print(`\nThe cluster stays up. Type next:\n${table(next)}`);
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
