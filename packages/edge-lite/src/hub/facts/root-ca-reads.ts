import type { HubHandler, HubRequest } from '../request.ts';

const configMap = 'kube-root-ca.crt';
const path = /^\/api\/v1\/namespaces\/[^/]+\/configmaps(?:\/kube-root-ca\.crt)?$/;

/** Whether somebody reads, or watches, the config map from which pods know whom to trust. Pure. */
function readsRootCa({ method, path: asked, query }: HubRequest): boolean {
  if (method !== 'GET' || !path.test(asked)) return false;
  return asked.endsWith(`/${configMap}`) || query.get('fieldSelector') === `metadata.name=${configMap}`;
}

/** Tells when the node's kubelet is given that config map, as the hub shows it. */
export function noticeRootCa(next: HubHandler, served: () => void): HubHandler {
  return async (request) => {
    const response = await next(request);
    if (request.caller.kind === 'node' && response.status === 200 && readsRootCa(request)) served();
    return response;
  };
}
