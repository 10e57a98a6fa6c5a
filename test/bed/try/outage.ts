import { waitFor } from '../wait.ts';
import { app } from './hello.ts';
import { type Scene, fetchFrom, field, nodes, show, site, tell, typedFetch } from './scene.ts';
import { showCaughtUp, showWaves } from './units.ts';

const [first, second] = nodes;
const podsOnSecond = ['pods', `--selector=app=${app}`, `--field-selector=spec.nodeName=${second}`] as const;

/** The sum of all restarts of the second node's pods; undefined unless all are ready. */
async function restarts(scene: Scene): Promise<number | undefined> {
  const path = '{range .items[*].status.containerStatuses[*]}{.ready} {.restartCount}{"\\n"}{end}';
  const lines = (await field(scene, path, podsOnSecond)).trim().split('\n');
  const pods = lines.map((line) => line.split(' '));
  if (!pods.every(([ready]) => ready === 'true')) return undefined;
  return pods.reduce((sum, [, count]) => sum + Number(count), 0);
}

interface Before {
  readonly url: string;
  /** The second node's pods. */
  readonly pods: readonly string[];
  readonly restarts: number;
}

async function lookAround(scene: Scene): Promise<Before> {
  const address = await field(scene, '{.spec.clusterIP}', ['service', app]);
  const pods = (await field(scene, '{.items[*].metadata.name}', podsOnSecond)).split(' ');
  return { url: `http://${address}/hostname`, pods, restarts: (await restarts(scene)) ?? 0 };
}

async function cut(scene: Scene, { url }: Before): Promise<void> {
  await scene.cluster.cut(site, 'blackhole');
  tell(scene, 'Now the site loses the cloud:', { typed: `cut ${site}` });
  const said = await fetchFrom(scene, first, url);
  tell(scene, 'Inside, the Service goes on:', { typed: typedFetch(first, url), said });
}

/** A cut is not a crash: the nodes stay Ready, nothing is evicted and nothing new is put there. */
async function stay(scene: Scene): Promise<void> {
  const { deps, signal } = scene;
  const states = '{.items[*].status.state}';
  await deps.setup.progress.step({ title: `${site} is told from a crash` }, () =>
    waitFor({ what: 'autonomous nodes', signal }, deps.clock, async () => {
      const seen = (await field(scene, states, ['edgenodes', ...nodes])).split(' ');
      return seen.length === nodes.length && seen.every((state) => state === 'Autonomous');
    }),
  );
  const title = 'The cloud knows that this is no crash: they are autonomous,';
  await show(scene, title, ['get', 'edgenodes']);
  await show(scene, 'and stay Ready, so nothing is evicted, for a day by default:', ['get', 'nodes']);
}

/** Resolves once each pod of the node has answered there, by way of the Service. */
async function allAnswer(scene: Scene, { url, pods }: Before): Promise<string> {
  const { deps, signal } = scene;
  const heard = new Set<string>();
  const wait = { what: `answers of all pods of ${second}`, everyMs: 250, timeoutMs: 180_000, signal };
  await waitFor(wait, deps.clock, async () => {
    heard.add(await fetchFrom(scene, second, url));
    return pods.every((pod) => heard.has(pod));
  });
  return pods.join('\n');
}

async function powerCut(scene: Scene, before: Before): Promise<void> {
  const { cluster, deps, signal } = scene;
  tell(scene, `And ${second} loses its power:`, { typed: `power-cut ${second} --no-wait` });
  await cluster.powerCut(second, signal);
  const startedMs = deps.clock.monotonicMs();
  await cluster.powerOn(second, { wait: false, signal });
  const said = await deps.setup.progress.step({ title: `pods of ${second} return` }, () =>
    allAnswer(scene, before),
  );
  const seconds = Math.ceil((deps.clock.monotonicMs() - startedMs) / 1_000);
  const title = `Its pods are back ${seconds} s after the power, from its disk alone:`;
  tell(scene, title, { typed: typedFetch(second, before.url), said });
}

async function heal(scene: Scene, before: Before): Promise<void> {
  const { cluster, deps, signal } = scene;
  await cluster.heal(site);
  tell(scene, 'The cloud is there again:', { typed: `heal ${site}` });
  const wait = { what: 'statuses that tell of the restart', signal };
  await deps.setup.progress.step({ title: 'statuses catch up' }, () =>
    waitFor(wait, deps.clock, async () => ((await restarts(scene)) ?? 0) > before.restarts),
  );
  const pods = ['get', 'pods', '-o', 'wide', `--selector=app=${app}`];
  await show(scene, 'It learns what happened meanwhile; the pods are the same:', pods);
}

/** Cuts the site off, rolls a change out to the others, cuts the power of a node in it, and heals. However it ends, the site is connected again. */
export async function showOutage(scene: Scene): Promise<void> {
  const before = await lookAround(scene);
  try {
    await cut(scene, before);
    await stay(scene);
    await showWaves(scene);
    await powerCut(scene, before);
  } catch (error) {
    await scene.cluster.heal(site);
    throw error;
  }
  await heal(scene, before);
  await showCaughtUp(scene);
}
