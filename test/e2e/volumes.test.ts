import { resources } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { containerStatus, isReady, lastWords, pod, running, shell, succeeded } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();

/** Runs a script to its end and gives what it wrote to the termination message. */
async function outcome(name: string): Promise<string | undefined> {
  return lastWords(await site.pod(name, { what: 'the script has ended' }, succeeded));
}

describe('volumes', () => {
  it('projects config maps and secrets with their modes, items and optional parts', async () => {
    await site.create(resources.configMaps, { metadata: { name: 'conf' }, data: { a: 'alpha', b: 'beta' } });
    await site.create(resources.secrets, { metadata: { name: 'keys' }, stringData: { token: 's3cret' } });
    const script =
      'cat /conf/renamed /keys/token > /dev/termination-log; stat -Lc " %a" /keys/token >> /dev/termination-log; ls /conf >> /dev/termination-log; ls /absent >> /dev/termination-log';
    await site.create(
      resources.pods,
      pod({
        name: 'projected',
        restartPolicy: 'Never',
        volumes: [
          { name: 'conf', configMap: { name: 'conf', items: [{ key: 'a', path: 'renamed' }] } },
          { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
          { name: 'absent', configMap: { name: 'nowhere', optional: true } },
        ],
        containers: [
          shell(script, {
            volumeMounts: [
              { name: 'conf', mountPath: '/conf' },
              { name: 'keys', mountPath: '/keys', readOnly: true },
              { name: 'absent', mountPath: '/absent' },
            ],
          }),
        ],
      }),
    );
    expect(await outcome('projected')).toBe('alphas3cret 400\nrenamed\n');
  });

  it('carries a changed config map into the running pod', async () => {
    await site.create(resources.configMaps, { metadata: { name: 'live' }, data: { word: 'old' } });
    await site.create(
      resources.pods,
      pod({
        name: 'live',
        restartPolicy: 'Never',
        volumes: [{ name: 'conf', configMap: { name: 'live' } }],
        containers: [
          shell('until grep -q new /conf/word; do sleep 0.2; done; cp /conf/word /dev/termination-log', {
            volumeMounts: [{ name: 'conf', mountPath: '/conf' }],
          }),
        ],
      }),
    );
    await site.pod('live', { what: 'it runs' }, (one) => containerStatus(one)?.state?.running !== undefined);
    await site.bed.kubectl([
      `--namespace=${site.namespace}`,
      'patch',
      'configmap/live',
      '--patch={"data":{"word":"new"}}',
    ]);
    const done = await site.pod('live', { what: 'it has seen the change', timeoutMs: 110_000 }, succeeded);
    expect(lastWords(done)).toBe('new');
  });

  it('waits for a config map that is missing and says so, then starts', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'patient',
        volumes: [{ name: 'conf', configMap: { name: 'late' } }],
        containers: [running('', { volumeMounts: [{ name: 'conf', mountPath: '/conf' }] })],
      }),
    );
    await site.until({ what: 'an event FailedMount that names the config map' }, async () =>
      (await site.events('patient')).some(
        (event) =>
          event.reason === 'FailedMount' && event.message?.includes('configmap "late" not found') === true,
      ),
    );
    await site.create(resources.configMaps, { metadata: { name: 'late' }, data: { a: 'b' } });
    await site.pod('patient', { what: 'it is ready after all', timeoutMs: 110_000 }, isReady);
    await site.deletePod('patient');
  });

  it('gives a pod a service-account token that the API server accepts, its CAs and its namespace', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'identity',
        restartPolicy: 'Never',
        containers: [
          shell(
            'cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace token > /dev/termination-log; grep -c BEGIN ca.crt >> /dev/termination-log',
          ),
        ],
      }),
    );
    const words = (await outcome('identity')) ?? '';
    expect(words.startsWith(site.namespace)).toBe(true);
    // The cluster's, and that of the node's hub.
    expect(words.endsWith('2\n')).toBe(true);
    const token = words.slice(site.namespace.length, -2).trim();
    const review = await site.client.create(
      resources.tokenReviews,
      { metadata: {}, spec: { token } },
      { signal: site.signal },
    );
    expect(review.status).toMatchObject({
      authenticated: true,
      user: { username: `system:serviceaccount:${site.namespace}:default` },
    });
    expect(review.status?.user?.extra?.['authentication.kubernetes.io/pod-name']).toEqual(['identity']);
  });

  it('tells a pod about itself by the downward API, as files and as variables', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'mirror',
        restartPolicy: 'Never',
        labels: { tier: 'edge' },
        volumes: [
          {
            name: 'self',
            downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
          },
        ],
        containers: [
          shell(
            'cat /self/labels > /dev/termination-log; echo " $NODE $POD_IP $CPU $(hostname)" >> /dev/termination-log',
            {
              resources: { limits: { cpu: '1500m', memory: '64Mi' } },
              env: [
                { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
              ],
              volumeMounts: [{ name: 'self', mountPath: '/self' }],
            },
          ),
        ],
      }),
    );
    const done = await site.pod('mirror', { what: 'the script has ended' }, succeeded);
    expect(lastWords(done)).toBe(`tier="edge" lite-1 ${done.status?.podIP} 2 mirror\n`);
  });

  it('shares an emptyDir between containers and keeps it over a container restart', async () => {
    const mounts = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    const counter =
      'echo x >> /shared/count; [ $(wc -l < /shared/count) -ge 2 ] && { cp /shared/count /dev/termination-log; exit 0; }; exit 1';
    await site.create(
      resources.pods,
      pod({
        name: 'shared',
        restartPolicy: 'OnFailure',
        volumes: [{ name: 'shared', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
        initContainers: [shell('mount | grep " /shared " | grep -q tmpfs', { name: 'look', ...mounts })],
        containers: [shell(counter, mounts)],
      }),
    );
    const done = await site.pod('shared', { what: 'the second run has ended' }, succeeded);
    expect([lastWords(done), containerStatus(done)?.restartCount]).toEqual(['x\nx\n', 1]);
  });
});
