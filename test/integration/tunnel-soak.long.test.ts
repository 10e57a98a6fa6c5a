import { test } from 'vitest';
import { judgeSoak, soakTunnel } from './tunnel-soak-suite.ts';

const minutes = Number(process.env['SELVEDGE_SOAK_MINUTES'] ?? 30);
const seed = Number(process.env['SELVEDGE_SOAK_SEED'] ?? Date.now());

test(
  `a tunnel that is cut, restarted and killed for ${minutes} minutes leaves nothing behind, seed ${seed}`,
  async () => {
    const report = await soakTunnel({ durationMs: minutes * 60_000, seed, faultEveryMs: 4_000 });
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    judgeSoak(report);
  },
  (minutes + 10) * 60_000,
);
