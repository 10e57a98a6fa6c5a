import type { BedRegistry } from '@selvedge/bed';
import { resources } from '@selvedge/kube';
import { beforeAll, describe, expect, it } from 'vitest';
import { containerStatus, lastWords, pod, shell, succeeded } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const secret = 'puller';

let registry: BedRegistry;
let image: string;

beforeAll(async () => {
  registry = await site.bed.registry(site.signal);
  // A name of this run's own: no node holds it yet.
  image = await registry.push('busybox', `${site.namespace}/busybox:1`, site.signal);
  await site.create(resources.secrets, {
    metadata: { name: secret },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(registry.dockerConfig).toString('base64') },
  });
});

const once = { restartPolicy: 'Never' } as const;
const waitingReason = (name: string, reason: string): Promise<unknown> =>
  site.pod(name, { what: reason }, (seen) => containerStatus(seen)?.state?.waiting?.reason === reason);

describe('a private registry behind the WAN', () => {
  it('gives an image to a pod that has the credentials', async () => {
    const imagePullSecrets = [{ name: secret }];
    const containers = [shell('echo pulled >/dev/termination-log', { image })];
    await site.create(resources.pods, pod({ name: 'known', ...once, imagePullSecrets, containers }));
    const seen = await site.pod('known', { what: 'its end' }, succeeded);
    expect(lastWords(seen)).toBe('pulled\n');
    const reasons = (await site.events('known')).map((event) => event.reason);
    expect(reasons).toEqual(expect.arrayContaining(['Pulling', 'Pulled']));
  });

  it('refuses one that has none, which is told and tried again', async () => {
    const container = shell('true', { image, imagePullPolicy: 'Always' });
    await site.create(resources.pods, pod({ name: 'unknown', ...once, containers: [container] }));
    await waitingReason('unknown', 'ErrImagePull');
    await waitingReason('unknown', 'ImagePullBackOff');
    await site.deletePod('unknown', 0);
  });

  it('cannot give what it does not hold', async () => {
    const imagePullSecrets = [{ name: secret }];
    const missing = shell('true', { image: `${registry.host}/${site.namespace}/absent:1` });
    await site.create(
      resources.pods,
      pod({ name: 'absent', ...once, imagePullSecrets, containers: [missing] }),
    );
    await waitingReason('absent', 'ErrImagePull');
    await waitingReason('absent', 'ImagePullBackOff');
    const reasons = (await site.events('absent')).map((event) => event.reason);
    expect(reasons).toEqual(expect.arrayContaining(['Failed', 'BackOff']));
    await site.deletePod('absent', 0);
  });
});
