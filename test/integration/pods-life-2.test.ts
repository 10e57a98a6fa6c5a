import { describePodsLife } from './pods-life-suite.ts';

describePodsLife('2.4');
