import { canonicalMedia } from './media.ts';

/** How aggregated discovery is asked for. */
export const aggregatedAccept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
export const aggregated = canonicalMedia(aggregatedAccept);
