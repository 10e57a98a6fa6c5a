import type { HttpsLimits } from '@selvedge/kit/serve';

/** Nodes that witness come here too, those of a site from one address. */
export const healthLimits: Partial<HttpsLimits> = {
  maxConnections: 1_024,
  maxConnectionsPerSource: 256,
  maxNewcomers: 256,
};
