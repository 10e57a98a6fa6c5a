import { describe, expect, it } from 'vitest';
import type { Container, EnvVar, Pod, Service } from '@selvedge/kube/types';

import { containerWith, memoryObjects, podWith } from '../testing.ts';
import { resolveEnv } from './env.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function world() {
  const objects = memoryObjects();
  objects.put('configmaps', {
    metadata: { namespace: 'shop', name: 'conf' },
    data: { color: 'red', size: 'L' },
  });
  objects.put('secrets', { metadata: { namespace: 'shop', name: 'pass' }, data: { pin: base64('1234') } });
  objects.remove({ resource: 'configmaps', namespace: 'shop', name: 'gone' });
  objects.remove({ resource: 'secrets', namespace: 'shop', name: 'gone' });
  return objects;
}

interface Case {
  readonly container?: Partial<Container>;
  readonly pod?: Pod;
  readonly objects?: ReturnType<typeof memoryObjects>;
}

function resolve({ container = {}, pod = podWith(), objects = world() }: Case): Record<string, string> {
  const env = resolveEnv({
    pod,
    container: containerWith(container),
    podIPs: ['10.0.0.7', 'fd00::7'],
    hostIPs: ['192.168.1.20'],
    allocatable: { cpu: '4', memory: '8Gi' },
    objects,
  });
  return Object.fromEntries(env.map(({ key, value }) => [key, value.toString()]));
}

const from = (valueFrom: EnvVar['valueFrom']): Case => ({ container: { env: [{ name: 'X', valueFrom }] } });

describe('the environment', () => {
  it.each([
    ['spec.nodeName', 'gate-1'],
    ['spec.serviceAccountName', 'clerk'],
    ['status.hostIP', '192.168.1.20'],
    ['status.podIP', '10.0.0.7'],
    ['status.podIPs', '10.0.0.7,fd00::7'],
    ['metadata.name', 'web'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'uid-web'],
    ["metadata.labels['app']", 'till'],
    ["metadata.annotations['none']", ''],
  ])('knows the field %s', (fieldPath, value) => {
    const pod = podWith({ nodeName: 'gate-1', serviceAccountName: 'clerk' }, { labels: { app: 'till' } });
    expect(resolve({ ...from({ fieldRef: { fieldPath } }), pod })).toMatchObject({ X: value });
  });

  it.each([
    ['limits.cpu', undefined, '1'],
    ['limits.cpu', '1m', '250'],
    ['requests.cpu', '1m', '0'],
    ['limits.memory', '1Mi', '8192'],
    ['requests.memory', '1Mi', '65'],
    ['requests.memory', '1k', '67109'],
  ])('gives %s divided by %s, rounded up', (resource, divisor, value) => {
    const resources = { limits: { cpu: '250m' }, requests: { memory: '67108865' } };
    const env = [{ name: 'X', valueFrom: { resourceFieldRef: { resource, divisor } } }];
    expect(resolve({ container: { resources, env } })).toMatchObject({ X: value });
  });

  it('takes config maps and secrets, whole and by key, and lets env win over envFrom', () => {
    const container: Partial<Container> = {
      envFrom: [
        { configMapRef: { name: 'conf' }, prefix: 'C_' },
        { secretRef: { name: 'pass' } },
        { configMapRef: { name: 'gone', optional: true } },
      ],
      env: [
        { name: 'C_size', value: 'S' },
        { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'conf', key: 'color' } } },
        { name: 'PIN', valueFrom: { secretKeyRef: { name: 'pass', key: 'pin' } } },
        { name: 'NONE', valueFrom: { secretKeyRef: { name: 'gone', key: 'pin', optional: true } } },
        { name: 'NO_KEY', valueFrom: { configMapKeyRef: { name: 'conf', key: 'none', optional: true } } },
      ],
    };
    expect(resolve({ container })).toEqual({
      C_color: 'red',
      C_size: 'S',
      pin: '1234',
      COLOR: 'red',
      PIN: '1234',
    });
  });

  it('expands variables that were set before, and those of services', () => {
    const objects = world();
    objects.put('services', service('default', 'kubernetes', '10.96.0.1', 443));
    const env = [
      { name: 'LATER', value: '$(HOST)' },
      { name: 'HOST', value: '$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)' },
      { name: 'URL', value: 'https://$(HOST)/$$(HOST)' },
    ];
    expect(resolve({ container: { env }, objects })).toMatchObject({
      LATER: '$(HOST)',
      HOST: '10.96.0.1:443',
      URL: 'https://10.96.0.1:443/$(HOST)',
    });
  });

  it.each([
    ['configmap "gone" not found', 'NotFound', from({ configMapKeyRef: { name: 'gone', key: 'k' } })],
    ['secret "gone" not found', 'NotFound', from({ secretKeyRef: { name: 'gone', key: 'k' } })],
    [
      "couldn't find key k in ConfigMap shop/conf",
      'NotFound',
      from({ configMapKeyRef: { name: 'conf', key: 'k' } }),
    ],
    [
      "couldn't find key k in Secret shop/pass",
      'NotFound',
      from({ secretKeyRef: { name: 'pass', key: 'k' } }),
    ],
    ['failed to sync configmap cache', 'Unavailable', from({ configMapKeyRef: { name: 'new', key: 'k' } })],
    ['unsupported fieldPath: spec.x', 'Invalid', from({ fieldRef: { fieldPath: 'spec.x' } })],
    [
      'container other not found',
      'Invalid',
      from({ resourceFieldRef: { resource: 'limits.cpu', containerName: 'other' } }),
    ],
  ])('says %s (%s)', (message, code, request) => {
    expect(() => resolve(request)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), code }),
    );
  });
});

function service(namespace: string, name: string, clusterIP: string, port: number): Service {
  return {
    metadata: { namespace, name },
    spec: { clusterIP, ports: [{ name: 'https', port, protocol: 'TCP' }] },
  };
}

describe('service variables', () => {
  function variables(enableServiceLinks: boolean): Record<string, string> {
    const objects = world();
    objects.put('services', service('default', 'kubernetes', '10.96.0.1', 443));
    objects.put('services', service('shop', 'till-db', '10.96.0.9', 5432));
    objects.put('services', service('shop', 'headless', 'None', 80));
    objects.put('services', service('other', 'far', '10.96.0.3', 80));
    return resolve({ pod: podWith({ enableServiceLinks }), objects });
  }

  it('tell of the services of the namespace, in the style of Docker too', () => {
    expect(variables(true)).toEqual({
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
      KUBERNETES_PORT: 'tcp://10.96.0.1:443',
      KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
      KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
      KUBERNETES_PORT_443_TCP_PORT: '443',
      KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
      TILL_DB_SERVICE_HOST: '10.96.0.9',
      TILL_DB_SERVICE_PORT: '5432',
      TILL_DB_SERVICE_PORT_HTTPS: '5432',
      TILL_DB_PORT: 'tcp://10.96.0.9:5432',
      TILL_DB_PORT_5432_TCP: 'tcp://10.96.0.9:5432',
      TILL_DB_PORT_5432_TCP_PROTO: 'tcp',
      TILL_DB_PORT_5432_TCP_PORT: '5432',
      TILL_DB_PORT_5432_TCP_ADDR: '10.96.0.9',
    });
  });

  it('tell only of the API server without links', () => {
    expect(Object.keys(variables(false)).filter((name) => !name.startsWith('KUBERNETES_'))).toEqual([]);
  });

  it('are read of the own namespace only', () => {
    const objects = world();
    const read: unknown[][] = [];
    const list = ((...query: unknown[]) => {
      read.push(query);
      return [];
    }) as ReturnType<typeof world>['list'];
    resolve({ objects: { ...objects, list } });
    expect(read).toEqual([['services', 'shop']]);
  });

  it('are waited for until services were read once', () => {
    const objects = { ...world(), synced: () => false };
    const text = 'services have not yet been read at least once, cannot construct envvars';
    expect(() => resolve({ objects })).toThrow(text);
  });
});
