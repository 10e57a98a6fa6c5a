import type { Manifest } from '../control-plane/objects.ts';
import { imageRefs } from '../images/index.ts';
import { shops } from './scene.ts';

export const till = 'till';
const port = 8080;
const pilots = { wave: 'pilot' };

/** Each site is a shop. */
export const shopManifests: readonly Manifest[] = shops.map(({ unit, nodes, isPilot }) => ({
  apiVersion: 'selvedge.io/v1alpha1',
  kind: 'EdgeUnit',
  metadata: { name: unit, ...(isPilot === true ? { labels: pilots } : {}) },
  spec: { members: { names: nodes } },
}));

/** A web server in every shop, and one Service for all whose traffic stays in the shop. */
export function tillManifest(version: string): Manifest {
  const container = {
    name: till,
    image: imageRefs.agnhost,
    args: ['netexec', `--http-port=${port}`],
    env: [{ name: 'VERSION', value: version }],
    readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
  };
  const pods = { terminationGracePeriodSeconds: 1, containers: [container] };
  return {
    apiVersion: 'selvedge.io/v1alpha1',
    kind: 'UnitApp',
    metadata: { name: till, namespace: 'default' },
    spec: {
      template: { kind: 'Deployment', spec: { replicas: 1, template: { spec: pods } } },
      overrides: [{ name: 'large', units: [shops[0]?.unit], replicas: 2 }],
      service: { shared: true, spec: { ports: [{ port: 80, targetPort: port }] } },
      unitSelector: {},
      rollout: {
        waves: [{ name: 'pilot', unitSelector: { matchLabels: pilots } }],
        bakeSeconds: 3,
        maxUnavailableUnits: 2,
      },
    },
  };
}
