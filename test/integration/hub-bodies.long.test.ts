import { it } from 'vitest';
import { damageBodies, sampleBodies } from './hub-bodies-suite.ts';

it('protobuf that is damaged anywhere is refused as Invalid, or read as something', {
  timeout: 600_000,
}, async () => {
  damageBodies(await sampleBodies(), 20_000);
});
