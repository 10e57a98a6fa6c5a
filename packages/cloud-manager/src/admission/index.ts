export { webhookConfiguration } from './configuration.ts';
export { createBanWebhook } from './webhook.ts';
export { strangerLimits } from './stranger-limits.ts';
