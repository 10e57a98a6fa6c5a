import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, PodsWorld, busybox } from './pods-world.ts';

for (const version of ['1.6', '2.4'] as const) {
  describe(`pods on containerd ${version}`, () => {
    let world: PodsWorld;
    let engine: Engine;
    beforeAll(async () => {
      world = await PodsWorld.start(version);
      engine = await world.engine();
    });
    afterAll(async () => {
      await engine.stop();
      await world.stop();
    });

    it('runs a pod from its creation to its deletion', async () => {
      const pod = world.api.create('life', {
        containers: [{ name: 'main', image: busybox, command: ['sleep', '3600'] }],
      });
      const status = await world.status(pod, 'Running', ({ phase }) => phase === 'Running');
      expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
      expect(status.podIP).toMatch(/^10\.88\./);
      world.api.delete('life');
      await world.gone(pod);
      expect(await world.observe(engine)).toEqual([]);
    });
  });
}
