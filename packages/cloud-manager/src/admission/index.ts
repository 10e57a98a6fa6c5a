export { webhookConfiguration } from './configuration.ts';
export { createAdmissionWebhook } from './webhook.ts';
export { strangerLimits } from './stranger-limits.ts';
