import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import {
  createKubeClient,
  createKubeMetrics,
  fileCredentials,
  loadKubeconfig,
  type KubeClient,
} from '@selvedge/kube';

/** Our client with a bed's kubeconfig, for tests and measures. The caller closes it. */
export async function connect(kubeconfig: string, userAgent: string): Promise<KubeClient> {
  const access = await loadKubeconfig(kubeconfig);
  return createKubeClient(
    { servers: [access.server], serverName: access.serverName, userAgent },
    {
      credentials: fileCredentials(access.credentials, { clock: systemClock }),
      clock: systemClock,
      random: Math.random,
      log: silentLogger,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
}
