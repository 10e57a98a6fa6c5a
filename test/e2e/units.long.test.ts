import { usualLimits } from './support/unit-bed.ts';
import { describeUnits } from './support/units-suite.ts';

/** As clusters are without flags: pods are evicted after almost six minutes. */
describeUnits({ prefix: 'unitsl', limits: usualLimits, period: '6m', timeoutMs: 1_800_000 });
