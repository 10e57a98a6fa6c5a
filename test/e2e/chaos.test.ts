import { describeChaos } from './support/chaos-suite.ts';

describeChaos({ node: 'lite-chaos', containerd: '1.6', seed: 1, rounds: 8, timeoutMs: 180_000 });
