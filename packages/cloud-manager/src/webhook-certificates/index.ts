export { createWebhookCertificates, type WebhookCertificates } from './webhook-certificates.ts';
