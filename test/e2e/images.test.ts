import type { BedRegistry } from '@selvedge/bed';
import { resources } from '@selvedge/kube';
import type { Container } from '@selvedge/kube/types';
import { type ExpectStatic, beforeAll, describe, it } from 'vitest';
import { containerStatus, lastWords, pod, shell, succeeded } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
const secret = 'puller';
const withSecret = { imagePullSecrets: [{ name: secret }] };

let registry: BedRegistry;
/**
 * A reference of this run's own, so that no node holds it yet. Not to busybox: a runtime may report an image by any of
 * the names that it has pulled it by, in the status of other tests' pods too.
 */
let image: string;

beforeAll(async () => {
  registry = await site.bed.registry(site.signal);
  image = await registry.push('nginx', `${site.namespace}/web:1`, site.signal);
  await site.create(resources.secrets, {
    metadata: { name: secret },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(registry.dockerConfig).toString('base64') },
  });
});

const nodes = [
  ['1.6', 'lite-1'],
  ['2.4', 'lite-2'],
] as const;

// Each has a pod of its own, and most wait for its back-off.
describe.each(nodes)('an image on a node with containerd %s', { concurrent: true }, (version, node) => {
  const nameOf = (what: string): string => `${what}-${node}`;
  const start = async (name: string, container: Partial<Container>, more: object = {}): Promise<void> => {
    const containers = [shell('echo pulled >/dev/termination-log', container)];
    await site.create(resources.pods, pod({ name, node, restartPolicy: 'Never', ...more, containers }));
  };
  const waiting = (name: string, reason: string): Promise<unknown> =>
    site.pod(name, { what: reason }, (seen) => containerStatus(seen)?.state?.waiting?.reason === reason);
  const messages = async (name: string, reason: string): Promise<string> =>
    (await site.events(name))
      .filter((event) => event.reason === reason)
      .map((event) => event.message)
      .join('\n');

  /** A status is there before the events that tell of it. */
  const told = (expect: ExpectStatic, name: string, reason: string) =>
    expect.poll(() => messages(name, reason), { interval: 200 });

  it('is pulled from a private registry with the credentials of the pod', async ({ expect }) => {
    const name = nameOf('known');
    const { status } = await site.client.get(resources.nodes, { name: node }, { signal: site.signal });
    expect(status?.nodeInfo?.containerRuntimeVersion).toMatch(new RegExp(`^containerd://v?${version}`));
    await start(name, { image }, withSecret);
    const done = await site.pod(name, { what: 'its end' }, succeeded);
    expect(lastWords(done)).toBe('pulled\n');
    expect(containerStatus(done)?.imageID).toContain('sha256:');
    await told(expect, name, 'Pulling').toBe(`Pulling image "${image}"`);
    await told(expect, name, 'Pulled').toMatch(`Successfully pulled image "${image}" in`);
  });

  it('is not pulled without credentials, which is told and tried again', async ({ expect }) => {
    const name = nameOf('unknown');
    await start(name, { image, imagePullPolicy: 'Always' });
    await waiting(name, 'ErrImagePull');
    await waiting(name, 'ImagePullBackOff');
    await site.until({ what: 'a second attempt' }, async () =>
      (await site.events(name)).some((event) => event.reason === 'Pulling' && (event.count ?? 0) >= 2),
    );
    await told(expect, name, 'Failed').toContain(`Failed to pull image "${image}"`);
    await told(expect, name, 'Failed').toContain('Error: ErrImagePull');
    await told(expect, name, 'BackOff').toBe(`Back-off pulling image "${image}"`);
    await site.deletePod(name);
  });

  it('that the registry does not hold is an error, and is pulled once it is there', async ({ expect }) => {
    const name = nameOf('late');
    const path = `${site.namespace}/${name}:1`;
    await start(name, { image: `${registry.host}/${path}` }, withSecret);
    await waiting(name, 'ErrImagePull');
    await told(expect, name, 'Failed').toContain('not found');
    await waiting(name, 'ImagePullBackOff');
    await registry.push('nginx', path, site.signal);
    expect(lastWords(await site.pod(name, { what: 'its end' }, succeeded))).toBe('pulled\n');
  });

  it('is never pulled if the pod says so', async ({ expect }) => {
    const name = nameOf('never');
    const absent = `${registry.host}/${site.namespace}/never:1`;
    await start(name, { image: absent, imagePullPolicy: 'Never' }, withSecret);
    await waiting(name, 'ErrImageNeverPull');
    await told(expect, name, 'ErrImageNeverPull').toContain(absent);
    expect(await messages(name, 'Pulling')).toBe('');
    await site.deletePod(name);
  });

  it('with a name that cannot be one is refused', async ({ expect }) => {
    const name = nameOf('misnamed');
    await start(name, { image: 'Registry.example/UPPER:1' });
    await waiting(name, 'InvalidImageName');
    await told(expect, name, 'InspectFailed').toContain('UPPER');
    await site.deletePod(name);
  });
});
