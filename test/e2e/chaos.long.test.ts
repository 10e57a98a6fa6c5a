import { describeChaos } from './support/chaos-suite.ts';

describeChaos({ node: 'lite-mayhem-1', containerd: '1.6', seed: 50, rounds: 50, timeoutMs: 600_000 });
describeChaos({ node: 'lite-mayhem-2', containerd: '2.4', seed: 51, rounds: 50, timeoutMs: 600_000 });
