import { table } from '../cli/terminal.ts';
import { applyManifests } from '../kubectl.ts';
import { waitFor } from '../wait.ts';
import { type Scene, type Shop, fetchFrom, field, shops, show, tell, typedFetch } from './scene.ts';
import { shopManifests, till, tillManifest } from './till.ts';

const requestsEach = 20;
const clones = ['get', 'deployments', `--selector=selvedge.io/unit-app=${till}`] as const;
const labelOf = (name: string): string => String.raw`.metadata.labels.selvedge\.io/${name}`;
const columns = `SHOP:${labelOf('unit')},REVISION:${labelOf('revision')},READY:.status.readyReplicas`;

/** Where the rollout is, and which revision each shop has. */
const showClones = (scene: Scene, title: string): Promise<void> =>
  show(scene, title, [...clones, '-o', `custom-columns=${columns}`]);

/** Resolves once a field of the UnitApp is this. */
async function untilApp(scene: Scene, path: string, wanted: string): Promise<void> {
  const { deps, signal } = scene;
  const wait = { what: `unitapp/${till} with ${path} ${wanted}`, everyMs: 250, timeoutMs: 180_000, signal };
  await waitFor(wait, deps.clock, async () => (await field(scene, path, ['unitapp', till])) === wanted);
}

const applyTill = (scene: Scene, version: string): Promise<void> =>
  applyManifests(scene.cluster.kubectl, [tillManifest(version)], scene.signal);

async function gather(scene: Scene): Promise<void> {
  const { cluster, signal } = scene;
  await applyManifests(cluster.kubectl, shopManifests, signal);
  const wait = ['wait', '--for=condition=Settled', 'edgeunit', '--all', '--timeout=60s'];
  await cluster.kubectl(wait, { signal });
  await show(scene, 'Each site is a unit, a shop; the cloud says who belongs to it:', ['get', 'edgeunits']);
}

/** Asks the one Service from a shop; how often which shop has answered. */
async function count(scene: Scene, { unit, nodes }: Shop, url: string): Promise<readonly string[]> {
  const asking = Array.from({ length: requestsEach }, () => fetchFrom(scene, nodes[0], url));
  const answers = await Promise.all(asking);
  const heard = shops.map((shop) => answers.filter((pod) => pod.startsWith(`${till}-${shop.unit}-`)).length);
  return [unit, ...heard.map(String)];
}

/** Shows that a Service with pods in all shops never leads out of the one that asks. */
async function showTraffic(scene: Scene): Promise<void> {
  const url = `http://${await field(scene, '{.spec.clusterIP}', ['service', till])}/hostname`;
  const rows = await Promise.all(shops.map((shop) => count(scene, shop, url)));
  const head = ['asked from', ...shops.map(({ unit }) => `pods of ${unit}`)];
  const title = `One Service for all, whose traffic stays in the shop: who answered ${requestsEach} requests from each`;
  const typed = typedFetch(shops[2]?.nodes[0] ?? '', url);
  tell(scene, `${title}:`, { typed, said: table([head, ...rows]) });
}

/** Makes the sites units, brings one app to all of them, and counts who answers in which. */
export async function showUnits(scene: Scene): Promise<void> {
  await gather(scene);
  // That of the last time has revisions that it would go back to.
  const { cluster, signal } = scene;
  await cluster.kubectl(['delete', 'unitapp', till, '--ignore-not-found', '--cascade=foreground'], {
    signal,
  });
  await applyTill(scene, '1');
  await scene.deps.setup.progress.step({ title: `roll out unitapp/${till}` }, () =>
    untilApp(scene, '{.status.rollout.state} {.status.totals.healthy}', `Done ${shops.length}`),
  );
  await showClones(scene, 'One UnitApp is a Deployment in every shop; shop-1 has an override:');
  await showTraffic(scene);
}

/** While the first shop is cut off: a change comes to the pilot, then to the others that have a link. */
export async function showWaves(scene: Scene): Promise<void> {
  await applyTill(scene, '2');
  await untilApp(scene, '{.status.updateRevision} {.status.rollout.state}', '2 Baking');
  await showClones(
    scene,
    'Meanwhile a new version is rolled out, at first to the pilot, where it is watched:',
  );
  await scene.deps.setup.progress.step({ title: 'the other wave' }, () =>
    untilApp(scene, '{.status.rollout.state}', 'Done'),
  );
  const app = ['get', 'unitapp', till, '-o', 'wide'];
  await show(scene, 'Then to all that have a link; nobody waits for the shop that has none:', app);
}

/** Resolves once the shop that was away has what it missed. */
export async function showCaughtUp(scene: Scene): Promise<void> {
  await scene.deps.setup.progress.step({ title: 'shop-1 catches up' }, () =>
    untilApp(scene, '{.status.totals.updated} {.status.totals.healthy}', `${shops.length} ${shops.length}`),
  );
  await showClones(scene, 'And it catches up:');
}
