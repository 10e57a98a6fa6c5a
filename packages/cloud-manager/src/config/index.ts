export { loadConfig } from './config.ts';
export type { Address } from './fields.ts';
export { nodeDomainOf, withoutNodeDomain } from './node-domain.ts';
export type { Config, ConnectProxyConfig, EgressConfig, TunnelConfig, WebhookConfig } from './schema.ts';
