import { afterAll, beforeAll, vi } from 'vitest';
import { testInterruptions } from './installer-cloud-lost-suite.ts';
import { type CloudWorld, startCloudWorld } from './installer-cloud-world.ts';

vi.setConfig({ testTimeout: 3_600_000 });

let world: CloudWorld;

beforeAll(async () => {
  world = await startCloudWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

testInterruptions({ stride: 1, world: () => world });
