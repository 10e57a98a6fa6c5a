import type { KubeObject } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { createKubernetesEndpointsView, createKubernetesServiceView } from './kubernetes-service.ts';
import { sliceOf } from './testing.ts';

const hub = { address: '169.254.77.1', port: 10_270 };
const metadata = {
  namespace: 'default',
  name: 'kubernetes',
  labels: { 'kubernetes.io/service-name': 'kubernetes' },
};
const slices = 'discovery.k8s.io/v1/endpointslices';
const apiServer = { addresses: ['10.0.0.1'], conditions: { ready: true } };
const ports = [{ name: 'https', port: 6443, protocol: 'TCP' }];

describe('the Service', () => {
  const view = createKubernetesServiceView(hub);
  const spec = {
    type: 'ClusterIP',
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1', 'fd00::1'],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'PreferDualStack',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
  };
  const service: KubeObject & { readonly spec: object } = { metadata, spec };

  test('has the hub’s address and port', () => {
    const shown = view.apply('v1/services', service);
    expect(shown).toEqual({
      metadata,
      spec: {
        type: 'ClusterIP',
        clusterIP: '169.254.77.1',
        clusterIPs: ['169.254.77.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ name: 'https', port: 10_270, protocol: 'TCP', targetPort: 10_270 }],
      },
    });
    expect(view.apply('v1/services', shown)).toEqual(shown);
  });

  test.each([
    ['another namespace', { ...metadata, namespace: 'shop' }],
    ['another name', { ...metadata, name: 'kube-dns' }],
  ])('of %s stays', (_, other) => {
    const object = { ...service, metadata: other };
    expect(view.apply('v1/services', object)).toBe(object);
  });
});

describe('its slices', () => {
  const view = createKubernetesEndpointsView(hub);

  test('lead to the hub', () => {
    const shown = view.apply(slices, sliceOf([apiServer, apiServer], { metadata, ports }));
    expect(shown).toEqual(
      sliceOf(
        [{ addresses: ['169.254.77.1'], conditions: { ready: true, serving: true, terminating: false } }],
        { metadata, ports: [{ ...ports[0], port: 10_270 }] },
      ),
    );
    expect(view.apply(slices, shown)).toEqual(shown);
  });

  test('lead to it once', () => {
    const other = sliceOf([apiServer], { metadata: { ...metadata, name: 'kubernetes-x' }, ports });
    expect(view.apply(slices, other)).toEqual({ ...other, endpoints: [] });
  });

  test.each([
    ['of another family', { metadata, addressType: 'IPv6' }],
    ['of another Service', {}],
    ['of a Service of the same name', { metadata: { ...metadata, namespace: 'shop' } }],
  ])('%s stay', (_, rest) => {
    const slice = sliceOf([apiServer], rest);
    expect(view.apply(slices, slice)).toBe(slice);
  });
});

describe('its Endpoints', () => {
  const view = createKubernetesEndpointsView(hub);

  test('lead to the hub, and those of others stay', () => {
    const endpoints = { metadata, subsets: [{ addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], ports }] };
    const shown = view.apply('v1/endpoints', endpoints);
    expect(shown).toEqual({
      metadata,
      subsets: [{ addresses: [{ ip: '169.254.77.1' }], ports: [{ ...ports[0], port: 10_270 }] }],
    });
    expect(view.apply('v1/endpoints', shown)).toEqual(shown);
    const other = { ...endpoints, metadata: { namespace: 'shop', name: 'kubernetes' } };
    expect(view.apply('v1/endpoints', other)).toBe(other);
  });
});
