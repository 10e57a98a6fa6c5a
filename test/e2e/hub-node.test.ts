import { describeHubSite } from './support/hub-suite.ts';

describeHubSite({
  site: 'hub',
  seed: 1,
  cycles: 3,
  maxCutMs: 6_000,
  powerCuts: 1,
  shopping: { cutMs: 50_000, healedMs: 20_000 },
  timeoutMs: 180_000,
});
