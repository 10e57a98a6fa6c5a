export { createAdmissionWebhook } from './webhook.ts';
export { apiServerLimits, strangerLimits } from './connection-limits.ts';
