import { imageRefs } from '../images/index.ts';
import { applyManifests } from '../kubectl.ts';
import { type Scene, nodes, show, tell } from './scene.ts';

const name = 'ticker';

/** Long enough to be looked into before it ends. */
const script = 'for i in 1 2 3 4 5; do echo "tick $i of $(hostname)"; sleep 1; done';

const ticker = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    nodeName: nodes[0],
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [{ name, image: imageRefs.busybox, command: ['sh', '-c', script] }],
  },
};

/** Shows that people in the cloud reach into the site, although the cloud cannot dial it: through the tunnel. */
export async function showReach(scene: Scene): Promise<void> {
  const { cluster, signal } = scene;
  // That of the last time has ended.
  await cluster.kubectl(['delete', 'pod', name, '--ignore-not-found', '--now'], { signal });
  await applyManifests(cluster.kubectl, [ticker], signal);
  await cluster.kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=30s'], { signal });
  const inside = ['exec', name, '--', 'ip', '-4', '-o', 'address', 'show', 'eth0'];
  await show(scene, 'The cloud cannot dial the site, but reaches into it; a command in a pod there:', inside);
  const { stdout } = await cluster.kubectl(['logs', '-f', name], { signal });
  tell(scene, 'And its logs, as they are written:', { typed: `kubectl logs -f ${name}`, said: stdout });
}
