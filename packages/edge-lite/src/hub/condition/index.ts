export { createCloudConditionReporter, createCloudConditionView } from './cloud-condition.ts';
