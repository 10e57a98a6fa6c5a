import { labels } from '@selvedge/api';
import { mergePatch, resources, strategicMergePatch } from '@selvedge/kube';
import type { Deployment } from '@selvedge/kube/types';
import { edgeUnitResource, horizontalPodAutoscalers } from '@selvedge/unit-controller';
import { describe, expect, test } from 'vitest';
import { conditionOf, imageOf, specOf, templateOf } from './app-tools.ts';
import { type AppWorld, type ShiftedClock, namespace, signal, until } from './app-world.ts';

const hourMs = 3_600_000;

export interface ClonesSetup {
  /** With a `till` at its fifth revision in all shops, which runs. */
  readonly world: () => AppWorld;
  readonly clock: ShiftedClock;
}

/** Registers the tests of what becomes of clones that are there. Call it once, after those of rollouts. */
export function clonesAreKept({ world, clock }: ClonesSetup): void {
  const change = (name: string, patch: object): Promise<Deployment> =>
    world().admin.patch(
      resources.deployments,
      { namespace, name },
      { patch: strategicMergePatch(patch), fieldManager: 'somebody', signal },
    );

  describe('a clone', () => {
    test('is put back where somebody changed it, and only there', async () => {
      const sidecar = { name: 'sidecar', image: 'theirs' };
      await change('till-shop-1', {
        metadata: { labels: { [labels.revision]: '9', theirs: 'stays' } },
        spec: { template: { spec: { containers: [{ name: 'till', image: 'evil' }, sidecar] } } },
      });
      const clone = await until('the clone as it was', async () => {
        const seen = await world().deployment('till-shop-1');
        return imageOf(seen) === 'till:5' && seen;
      });
      expect(clone.metadata.labels).toMatchObject({ [labels.revision]: '5', theirs: 'stays' });
      expect(clone.spec?.template.spec?.containers.map(({ image }) => image)).toEqual(['till:5', 'theirs']);
      await world().admin.delete(resources.deployments, { namespace, name: 'till-shop-2' }, { signal });
      await until('another clone', async () => imageOf(await world().deployment('till-shop-2')) === 'till:5');
    });

    test('has what it needs beside it, and leaves nothing in a unit that is not selected any more', async () => {
      const unitSelector = { matchLabels: { web: 'yes' } };
      const enrol = (name: string, web: string | null): Promise<unknown> =>
        world().admin.patch(
          edgeUnitResource,
          { name },
          { patch: mergePatch({ metadata: { labels: { web } } }), signal },
        );
      for (const name of ['shop-2', 'shop-3']) await enrol(name, 'yes');
      await world().createApp(
        'web',
        specOf('web:1', {
          unitSelector,
          service: { spec: { ports: [{ port: 80 }] } },
          configMaps: [{ name: 'conf', data: { shop: '{{unit.name}}' } }],
          secrets: [{ name: 'key', stringData: { key: 'hidden' } }],
          scaling: { horizontal: { minReplicas: 1, maxReplicas: 5 } },
        }),
      );
      await world().reached('web', 'Done');
      const names = async (unit: string): Promise<readonly string[]> => {
        const labelSelector = `${labels.unitApp}=web,${labels.unit}=${unit}`;
        const kinds = [
          resources.deployments,
          resources.services,
          resources.configMaps,
          resources.secrets,
          horizontalPodAutoscalers,
        ];
        const lists = await Promise.all(
          kinds.map((kind) => world().admin.list(kind, { namespace, labelSelector, signal })),
        );
        return lists.flatMap(({ items }) => items.map(({ kind }) => kind ?? ''));
      };
      const all = ['Deployment', 'Service', 'ConfigMap', 'Secret', 'HorizontalPodAutoscaler'];
      expect(await names('shop-3')).toEqual(all);
      const { stdout } = await world().kubectl(['get', 'controllerrevisions', '--output=json']);
      expect(stdout).not.toContain('hidden');
      await enrol('shop-3', null);
      await until('nothing', async () => {
        clock.forward(10_000);
        await world().poke('web');
        return (await names('shop-3')).length === 0;
      });
      expect(await names('shop-2')).toEqual(all);
      await enrol('shop-2', null);
      const emptied = await until('a reason', async () => {
        const seen = await world().app('web');
        return conditionOf(seen, 'Invalid') === 'True Invalid' && seen;
      });
      expect(emptied.status?.totals?.units).toBe(0);
      expect(await names('shop-2')).toEqual(all);
      await enrol('shop-2', 'yes');
      await until(
        'the unit again',
        async () => conditionOf(await world().app('web'), 'Updated') === 'True Done',
      );
    });

    test('has as many replicas as its autoscaler says, and those of the template without one', async () => {
      const scale = mergePatch({ spec: { replicas: 4 } });
      const at = { namespace, name: 'web-shop-2' };
      await world().admin.patch(resources.deployments, at, { patch: scale, subresource: 'scale', signal });
      await world().changeApp('web', templateOf('web:2'));
      await world().reached('web', 'Done');
      const scaled = await world().deployment('web-shop-2');
      expect([imageOf(scaled), scaled?.spec?.replicas]).toEqual(['web:2', 4]);
      await world().changeApp('web', { scaling: null });
      await until('the template', async () => (await world().deployment('web-shop-2'))?.spec?.replicas === 1);
      const { items } = await world().admin.list(horizontalPodAutoscalers, { namespace, signal });
      expect(items).toEqual([]);
      // It is taken over by an autoscaler as it runs: nothing goes down on the way.
      await world().changeApp('web', {
        template: specOf('web:2').template,
        overrides: [{ name: 'more', unitSelector: {}, replicas: 3 }],
      });
      await until('three', async () => (await world().deployment('web-shop-2'))?.spec?.replicas === 3);
      await world().changeApp('web', { scaling: { horizontal: { maxReplicas: 5 } } });
      await until('an autoscaler', async () => {
        const seen = await world().admin.list(horizontalPodAutoscalers, { namespace, signal });
        return seen.items.length === 1;
      });
      expect((await world().deployment('web-shop-2'))?.spec?.replicas).toBe(3);
    });

    test('has the replicas of the timetable at its moment, and of an unmanaged field what others say', async () => {
      const day = Math.ceil((clock.now() + hourMs) / (24 * hourMs)) * 24 * hourMs;
      clock.setTo(day);
      const schedules = [
        { name: 'open', cron: '0 8 * * *', replicas: 3 },
        { name: 'closed', cron: '0 20 * * *', replicas: 0 },
      ];
      const unitSelector = { matchLabels: { tier: 'canary' } };
      const unmanagedFields = ['/spec/revisionHistoryLimit'];
      const { template } = specOf('plan:1');
      const spec = { ...template.spec, revisionHistoryLimit: 4 };
      await world().createApp(
        'plan',
        specOf('plan:1', {
          unitSelector,
          unmanagedFields,
          scaling: { schedules },
          template: { ...template, spec },
        }),
      );
      const replicas = async (): Promise<number | undefined> =>
        (await world().deployment('plan-shop-1'))?.spec?.replicas;
      await world().reached('plan', 'Done');
      expect(await replicas()).toBe(0);
      expect((await world().deployment('plan-shop-1'))?.spec?.revisionHistoryLimit).toBe(4);
      await change('plan-shop-1', { spec: { revisionHistoryLimit: 7 } });
      clock.setTo(day + 8.5 * hourMs);
      await world().poke('plan');
      await until('the shop to be open', async () => (await replicas()) === 3);
      expect((await world().deployment('plan-shop-1'))?.spec?.revisionHistoryLimit).toBe(7);
    });
  });
}
