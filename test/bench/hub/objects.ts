import { createLimiter } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';

const parallel = 32;

/** A pod as a Deployment makes it, about 3 kB with what the API server adds. Nobody runs it. */
function podOf(namespace: string, index: number): Pod {
  const env = Array.from({ length: 12 }, (_, at) => ({
    name: `SETTING_${at}`,
    value: `value-${index}-${at}`,
  }));
  return {
    metadata: {
      name: `pod-${String(index).padStart(5, '0')}`,
      namespace,
      labels: { app: `app-${index % 50}`, tier: index % 2 === 0 ? 'web' : 'data' },
      annotations: { 'example.com/checksum': 'f'.repeat(64) },
    },
    spec: {
      nodeName: `elsewhere-${index % 100}`,
      containers: [
        {
          name: 'main',
          image: 'example.com/shop/main:1.2.3',
          env,
          ports: [{ containerPort: 8080 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          readinessProbe: { httpGet: { path: '/healthz', port: 8080 } },
        },
      ],
    },
  };
}

/** A namespace of its own with so many pods. */
export async function createPods(client: KubeClient, count: number, signal: AbortSignal): Promise<string> {
  const namespace = `pods-${count}`;
  await client.create(resources.namespaces, { metadata: { name: namespace } }, { signal });
  await client.create(resources.serviceAccounts, { metadata: { name: 'default', namespace } }, { signal });
  const limiter = createLimiter({ capacity: parallel });
  const all = Array.from({ length: count }, (_, index) => podOf(namespace, index));
  await Promise.all(
    all.map((pod) => limiter.run(signal, () => client.create(resources.pods, pod, { signal }))),
  );
  return namespace;
}
