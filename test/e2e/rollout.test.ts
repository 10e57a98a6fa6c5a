import { labels } from '@selvedge/api';
import { mergePatch, resources, strategicMergePatch } from '@selvedge/kube';
import type { Container, Deployment, Pod } from '@selvedge/kube/types';
import { type UnitAppObject, unitAppResource } from '@selvedge/unit-controller';
import { beforeAll, describe, expect, it } from 'vitest';
import { condition, isReady, running, shell } from './support/pods.ts';
import { shortLimits, useUnitBed } from './support/unit-bed.ts';
import { containersOf } from './support/unit-workloads.ts';

const app = 'till';
const units = ['canary', 'steady', 'away'] as const;
type Unit = (typeof units)[number];
/** A pod that has it is ready when the test says so. */
const gate = 'e2e.selvedge.io/admitted';
const patienceMs = 150_000;

const here = useUnitBed({
  prefix: 'rollout',
  // A machine that has other work to do must not be taken for a cut: nobody waits for a wave that has no link.
  limits: { ...shortLimits, graceSeconds: 60, assumedGraceSeconds: 20 },
  units: units.map((name) => ({
    name,
    nodes: [{ name: `${name}-node`, agent: name === 'canary' ? 'converted' : 'lite' }],
  })),
});
const { site } = here;

interface Version {
  readonly name: string;
  readonly gates?: readonly string[];
  readonly container?: Container;
}

function specOf({ name, gates = [], container = running() }: Version): UnitAppObject['spec'] {
  const pods = {
    terminationGracePeriodSeconds: 1,
    readinessGates: gates.map((conditionType) => ({ conditionType })),
    containers: [{ ...container, env: [{ name: 'VERSION', value: name }] }],
  };
  return {
    unitSelector: {},
    template: { kind: 'Deployment', spec: { replicas: 1, template: { spec: pods } } },
    rollout: {
      waves: [{ name: 'first', unitSelector: { matchLabels: { [labels.unit]: 'canary' } } }],
      maxUnavailableUnits: '100%',
      bakeSeconds: 0,
      healthGate: { maxRestarts: 0 },
      onFailure: 'rollback',
    },
  };
}

async function bring(version: Version): Promise<void> {
  const patch = mergePatch({ spec: specOf(version) });
  const at = { namespace: site.namespace, name: app };
  await site.client.patch(unitAppResource, at, { patch, signal: site.signal });
}

/** Resolves once `kubectl wait` says that a rollout is done. */
async function updated(): Promise<void> {
  const wait = ['wait', `--namespace=${site.namespace}`, '--for=condition=Updated', `unitapp/${app}`];
  await site.bed.kubectl([...wait, `--timeout=${patienceMs / 1_000}s`]);
}

/** Resolves with the UnitApp as soon as what is said of its newest spec `holds`. */
function untilApp(what: string, holds: (seen: UnitAppObject) => boolean): Promise<UnitAppObject> {
  return site.until({ what, timeoutMs: patienceMs }, async () => {
    const seen = await site.get(unitAppResource, app);
    if (seen.status?.observedGeneration === seen.metadata.generation && holds(seen)) return seen;
    throw new Error(`its status is ${JSON.stringify(seen.status)}`);
  });
}

const stateOf = ({ status }: UnitAppObject, unit: Unit): string | undefined =>
  status?.units?.find(({ name }) => name === unit)?.state;

async function forAll<T>(read: (unit: Unit) => Promise<T>): Promise<Record<Unit, T>> {
  const [canary, steady, away] = await Promise.all([read('canary'), read('steady'), read('away')]);
  return { canary, steady, away };
}

const cloneOf = (unit: Unit): Promise<Deployment> => site.get(resources.deployments, `${app}-${unit}`);
const versionOf = (spec: Pod['spec']): string | undefined => spec?.containers[0]?.env?.[0]?.value;
const versions = (): Promise<Record<Unit, string | undefined>> =>
  forAll(async (unit) => versionOf((await cloneOf(unit)).spec?.template.spec));
/** Each step of a rollout makes it one more. */
const generations = (): Promise<Record<Unit, number>> =>
  forAll(async (unit) => (await cloneOf(unit)).metadata.generation ?? 0);

async function podsIn(unit: Unit): Promise<readonly Pod[]> {
  const { namespace, signal } = site;
  const labelSelector = `${labels.unitApp}=${app},${labels.unit}=${unit}`;
  return (await site.client.listAll(resources.pods, { namespace, labelSelector, signal })).items;
}

/** Resolves with what runs in each unit, as the runtimes know it, once that is one container of this version in each. */
const settled = (version: Record<Unit, string>): Promise<Record<Unit, readonly string[]>> =>
  forAll((unit) =>
    site.until({ what: `${version[unit]} alone in ${unit}`, timeoutMs: patienceMs }, async () => {
      const [pod, ...others] = await podsIn(unit);
      if (pod === undefined || others.length > 0 || versionOf(pod.spec) !== version[unit]) return false;
      const containers = await containersOf(site, pod);
      return containers.length === 1 && containers;
    }),
  );

const everywhere = (version: string): Record<Unit, string> => ({
  canary: version,
  steady: version,
  away: version,
});

/** Resolves once the pod of a unit that waits for it is ready. */
async function admit(unit: Unit, version: string): Promise<void> {
  const { client, namespace, signal } = site;
  const { metadata } = await site.until(
    { what: `a pod of ${version} in ${unit}`, timeoutMs: patienceMs },
    async () => (await podsIn(unit)).find(({ spec }) => versionOf(spec) === version),
  );
  const { name = '' } = metadata;
  const patch = strategicMergePatch({ status: { conditions: [{ type: gate, status: 'True' }] } });
  await client.patch(resources.pods, { namespace, name }, { patch, subresource: 'status', signal });
  await site.pod(name, { what: 'it is ready', timeoutMs: patienceMs }, isReady);
}

/** Resolves once the canary has a version, whose pod runs and is not ready. */
async function untilTried(version: string): Promise<void> {
  await untilApp('the canary is on its way', (seen) => stateOf(seen, 'canary') === 'Updating');
  await site.until({ what: `${version} runs in the canary`, timeoutMs: patienceMs }, async () =>
    (await podsIn('canary')).some(
      (pod) => versionOf(pod.spec) === version && condition(pod, 'ContainersReady') === 'True',
    ),
  );
}

describe('a UnitApp in three units', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    await site.create(unitAppResource, { metadata: { name: app }, spec: specOf({ name: 'one' }) });
    await updated();
  });

  it('brings a change to the canary, and to the others once its pods are ready', async () => {
    const before = await settled(everywhere('one'));
    await bring({ name: 'two', gates: [gate] });
    await untilTried('two');
    expect(await versions()).toEqual({ ...everywhere('one'), canary: 'two' });
    await admit('canary', 'two');
    await Promise.all([updated(), admit('steady', 'two'), admit('away', 'two')]);
    const { status } = await site.get(unitAppResource, app);
    expect(status).toMatchObject({ currentRevision: 2, totals: { units: 3, updated: 3, healthy: 3 } });
    const after = await settled(everywhere('two'));
    for (const unit of units) expect(after[unit]).not.toEqual(before[unit]);
  });

  it('takes a change back that fails in the canary, and nothing that runs is touched', async () => {
    const before = await settled(everywhere('two'));
    const steps = await generations();
    // Never ready: a Deployment gives up what it has for a pod that is, be it for a moment.
    await bring({ name: 'bad', gates: [gate], container: shell('exit 1') });
    const { status } = await untilApp('RolledBack', (seen) => seen.status?.rollout?.state === 'RolledBack');
    expect(status).toMatchObject({ currentRevision: 2, updateRevision: 3, totals: { updated: 0 } });
    expect(status?.rollout?.message).toMatch(/^1 failed: canary: /);
    const told = status?.conditions?.find(({ type }) => type === 'Updated');
    expect(told).toMatchObject({ status: 'False', reason: 'RolledBack' });
    expect(await settled(everywhere('two'))).toEqual(before);
    expect(await generations()).toEqual({ ...steps, canary: steps.canary + 2 });
  });

  it('is done without a unit that is cut off, which goes on and catches up', async () => {
    const before = await settled(everywhere('two'));
    await site.bed.cut('away', 'blackhole');
    await untilApp('away is Offline', (seen) => stateOf(seen, 'away') === 'Offline');
    await bring({ name: 'three' });
    await updated();
    const without = { ...everywhere('three'), away: 'two' };
    expect(await versions()).toEqual(without);
    expect((await settled(without)).away).toEqual(before.away);
    await site.bed.heal('away');
    await untilApp('all are updated', ({ status }) => status?.totals?.updated === 3);
    await settled(everywhere('three'));
  });

  it('goes on where it was when cloud-manager is killed in the middle', async () => {
    const steps = await generations();
    await bring({ name: 'four', gates: [gate] });
    await untilTried('four');
    await site.bed.stopCloud('cloud-manager', 'SIGKILL');
    await admit('canary', 'four');
    expect(await generations()).toEqual({ ...steps, canary: steps.canary + 1 });
    await site.bed.startCloud('cloud-manager');
    await Promise.all([updated(), admit('steady', 'four'), admit('away', 'four')]);
    await settled(everywhere('four'));
    const { canary, steady, away } = steps;
    expect(await generations()).toEqual({ canary: canary + 1, steady: steady + 1, away: away + 1 });
  });
});
