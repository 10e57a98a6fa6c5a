import { test } from 'vitest';
import { judgeSoak, soakTunnel } from './tunnel-soak-suite.ts';

test('a tunnel that is cut, restarted and killed for a while leaves nothing behind', async () => {
  judgeSoak(await soakTunnel({ durationMs: 15_000, seed: 5, faultEveryMs: 1_000 }));
}, 240_000);
