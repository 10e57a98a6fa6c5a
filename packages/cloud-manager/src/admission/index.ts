export { webhookConfiguration } from './configuration.ts';
export { createBanWebhook } from './webhook.ts';
