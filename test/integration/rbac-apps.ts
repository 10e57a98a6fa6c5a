import { type UnitAppSpec, unitAppConditions, unitApps } from '@selvedge/api';
import { renderUnit, valuesOf } from '@selvedge/unit-controller';
import type { ManagerWorld } from './manager-world.ts';

/** UnitApps that need every right that there is for them. */

type World = Pick<ManagerWorld, 'kubectl'>;
type Kind = UnitAppSpec['template']['kind'];

const { apiVersion, kind: unitApp } = unitApps;
const kinds: readonly Kind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];
const clones = ['deployments,statefulsets,daemonsets', '--selector=selvedge.io/unit-app'] as const;

const manifestOf = (name: string, spec: UnitAppSpec): object => ({
  apiVersion,
  kind: unitApp,
  metadata: { name, namespace: 'default' },
  spec,
});

async function apply({ kubectl }: World, items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl(['apply', '--server-side', '--force-conflicts', '--filename=-'], { input });
}

/** A workload of one pod; `version` is in it. */
function templateOf(kind: Kind, version = '1'): UnitAppSpec['template'] {
  const containers = [{ name: 'c', image: 'none', env: [{ name: 'VERSION', value: version }] }];
  return { kind, spec: { template: { spec: { containers } } } };
}

function wholeSpec(kind: Kind, version: string): UnitAppSpec {
  const scaling = { horizontal: { minReplicas: 1, maxReplicas: Number(version) } };
  return {
    unitSelector: {},
    template: templateOf(kind, version),
    configMaps: [{ name: 'settings', data: { version } }],
    secrets: [{ name: 'keys', type: 'Opaque', stringData: { version } }],
    service: { shared: false, spec: { ports: [{ port: 80 }] } },
    revisionHistoryLimit: 0,
    rollout: { bakeSeconds: 0, maxUnavailableUnits: '100%' },
    ...(kind === 'DaemonSet' ? {} : { scaling }),
  };
}

/** One of each kind with all that there can be beside it. */
export const applyApps = (world: World, version: string): Promise<void> =>
  apply(
    world,
    kinds.map((kind) => manifestOf(kind.toLowerCase(), wholeSpec(kind, version))),
  );

/** The versions of all clones. */
export async function versionsOf({ kubectl }: World): Promise<string> {
  const path = '{.items[*].spec.template.spec.containers[0].env[0].value}';
  return (await kubectl(['get', ...clones, `--output=jsonpath=${path}`])).stdout;
}

/** Why a UnitApp cannot be used; empty: it can be. */
export async function problemOf({ kubectl }: World, name: string): Promise<string> {
  const path = `{.status.conditions[?(@.type=="${unitAppConditions.invalid}")].message}`;
  return (await kubectl(['get', 'unitapp', name, `--output=jsonpath=${path}`])).stdout;
}

/** The revisions of the UnitApp `deployment` are nobody's then, and in its way. */
export async function disownRevisions({ kubectl }: World): Promise<void> {
  const of = ['controllerrevisions', '--selector=selvedge.io/unit-app=deployment'];
  const names = (await kubectl(['get', ...of, '--output=name'])).stdout.trim().split('\n');
  const patch = '[{"op":"remove","path":"/metadata/ownerReferences"}]';
  for (const name of names) await kubectl(['patch', name, '--type=json', '--patch', patch]);
}

const bare: UnitAppSpec = { unitSelector: {}, template: templateOf('Deployment') };

/** By the kind of what somebody else has made under the name that a clone is to have. */
const hindered: Readonly<Record<string, UnitAppSpec>> = {
  ConfigMap: { ...bare, configMaps: [{ name: 'settings', data: { a: 'b' } }] },
  Service: { ...bare, service: { shared: false, spec: { ports: [{ port: 80 }] } } },
  Deployment: bare,
  DaemonSet: { ...bare, template: templateOf('DaemonSet') },
  HorizontalPodAutoscaler: { ...bare, scaling: { horizontal: { minReplicas: 1, maxReplicas: 2 } } },
};

const nameOf = (kind: string): string => `hindered${kind.toLowerCase()}`;

/** UnitApps for whose clones in this unit somebody else's objects are in the way. */
export async function applyHindered(world: World, unit: string): Promise<void> {
  const shop = valuesOf({ metadata: { name: unit } });
  for (const [kind, spec] of Object.entries(hindered)) {
    const app = { metadata: { name: nameOf(kind), namespace: 'default', uid: 'nobody' } };
    const found = renderUnit({ app, spec }, shop).find(({ object }) => object.kind === kind);
    const { name = '', namespace = '' } = found?.object.metadata ?? {};
    await apply(world, [{ ...found?.object, metadata: { name, namespace } }]);
  }
  await apply(
    world,
    Object.entries(hindered).map(([kind, spec]) => manifestOf(nameOf(kind), spec)),
  );
}

/** Whether all of these say what is in the way. */
export async function areHindered(world: World): Promise<boolean> {
  const problems = await Promise.all(Object.keys(hindered).map((kind) => problemOf(world, nameOf(kind))));
  return problems.every((problem) => problem.includes("is not this UnitApp's"));
}
