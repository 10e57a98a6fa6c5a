import { Bed, type BedOptions } from '../bed.ts';
import { table } from '../cli/terminal.ts';
import { applyManifests } from '../kubectl.ts';
import { waitFor } from '../wait.ts';
import { app, helloManifests, port } from './hello.ts';
import { showOutage } from './outage.ts';
import { showReach } from './reach.ts';
import {
  type Scene,
  type TourDeps,
  type TourOptions,
  commandOf,
  fetchFrom,
  field,
  nodes,
  shops,
  show,
  site,
  tell,
  typedFetch,
} from './scene.ts';
import { showUnits } from './units.ts';

/** A node counts as cut off after seconds: nobody waits for more. */
const plan: Pick<BedOptions, 'controlPlane' | 'sites' | 'nodes'> = {
  controlPlane: { tunnel: true, managerConfig: { autonomy: { gracePeriodSeconds: 20 } } },
  sites: shops.map((shop) => ({ name: shop.site })),
  nodes: shops.flatMap((shop) =>
    shop.nodes.map((name) => ({ name, site: shop.site, agent: 'lite', kubeProxy: true, leaseSeconds: 8 })),
  ),
};

async function rollOut(scene: Scene): Promise<void> {
  const { cluster, deps, signal } = scene;
  await applyManifests(cluster.kubectl, helloManifests(nodes), signal);
  await deps.setup.progress.step({ title: `roll out deployment/${app}` }, () =>
    cluster.kubectl(['rollout', 'status', `deployment/${app}`, '--timeout=120s'], { signal }),
  );
  const pods = ['get', 'pods', '-o', 'wide', `--selector=app=${app}`];
  await show(scene, 'A Deployment of four pods runs on them:', pods);
}

/** Asks a pod of the second node from the first one: the cloud itself cannot dial in. */
async function ask(scene: Scene): Promise<void> {
  const { deps, signal } = scene;
  const selector = [`--selector=app=${app}`, `--field-selector=spec.nodeName=${nodes[1]}`];
  const address = await field(scene, '{.items[0].status.podIP}', ['pods', ...selector]);
  const url = `http://${address}:${port}/hostname`;
  const wait = { what: `an answer of ${url}`, signal };
  const said = await waitFor(wait, deps.clock, () => fetchFrom(scene, nodes[0], url));
  tell(scene, 'A pod answers inside the site:', { typed: typedFetch(nodes[0], url), said });
}

function sayWhatNext(scene: Scene): void {
  const hackBed = commandOf(scene);
  const next = [
    [`${hackBed} status`, 'what there is'],
    [`${hackBed} kubectl scale deployment/${app} --replicas=8`, 'kubectl, as you know it'],
    [`${hackBed} kubectl logs -f deployment/${app}`, 'from the cloud, through NAT'],
    [`${hackBed} kubectl get edgeunits,unitapps`, 'shops, and what runs in each'],
    [`${hackBed} cut ${site}`, 'cut the site off again; stay as long as you like'],
    [`${hackBed} heal ${site}`, 'and back'],
    [`${hackBed} logs edge-lite.${nodes[0]}`, 'what the agent of a node says'],
    [`${hackBed} down`, 'remove it all'],
  ];
  scene.print(`\nThe cluster stays up. Type next:\n${table(next)}`);
}

/**
 * Brings up the bed, joins lite nodes at three sites, rolls out a Deployment, asks one of its pods, reaches into a site with
 * kubectl, makes the sites units with an app in each, and shows what a cut and a power cut do. The bed stays up.
 */
export async function runTour(options: TourOptions, deps: TourDeps): Promise<void> {
  const { signal } = options;
  await deps.deps.setup.preflight();
  const cluster = await Bed.up({ name: options.bed, ...plan, signal }, deps.deps);
  const scene: Scene = { ...options, ...deps, cluster };
  const nodesWide = ['get', 'nodes', '-o', 'wide'];
  await show(scene, 'Four lite nodes have joined, at three sites, without a kubelet:', nodesWide);
  await rollOut(scene);
  await ask(scene);
  await showReach(scene);
  await showUnits(scene);
  await showOutage(scene);
  sayWhatNext(scene);
}
