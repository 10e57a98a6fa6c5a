import { shortLimits } from './support/unit-bed.ts';
import { describeUnits } from './support/units-suite.ts';

describeUnits({ prefix: 'units', limits: shortLimits, period: '10s', timeoutMs: 600_000 });
