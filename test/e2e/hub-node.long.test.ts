import { describeHubSite } from './support/hub-suite.ts';

describeHubSite({
  site: 'hub-long',
  seed: 24,
  cycles: 24,
  maxCutMs: 30_000,
  powerCuts: 20,
  shopping: { cutMs: 600_000, healedMs: 60_000 },
  timeoutMs: 1_500_000,
});
