import { describePodsLife } from './pods-life-suite.ts';

describePodsLife('1.6');
