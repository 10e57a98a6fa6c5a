import { managerAdmission } from '@selvedge/api';
import { createIndexedStore } from '@selvedge/kube';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { guardDenialOf, guardMessage, parseDeletion } from './guard.ts';

const edgeNodes = createIndexedStore<EdgeNodeObject>();
const edgeNode = (
  name: string,
  state: 'Connected' | 'Vouched' | 'Autonomous' | 'Expired' | 'Dead',
  annotations = {},
): EdgeNodeObject => ({ metadata: { name, annotations }, status: { state } });
edgeNodes.replace(
  [
    edgeNode('cut', 'Autonomous'),
    edgeNode('seen', 'Vouched'),
    edgeNode('here', 'Connected'),
    edgeNode('over', 'Expired'),
    edgeNode('dead', 'Dead'),
    edgeNode('allowed', 'Autonomous', { 'selvedge.io/allow-deletion': 'true' }),
  ],
  '1',
);

interface Asked {
  readonly by?: string;
  /** Of a pod. */
  readonly graceSeconds?: number | null;
}

const review = (resource: string, node: string, { by = 'jane', graceSeconds }: Asked): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      operation: 'DELETE',
      resource: { group: '', version: 'v1', resource },
      userInfo: { username: by },
      object: null,
      oldObject:
        resource === 'pods'
          ? { metadata: { name: 'p' }, spec: { nodeName: node } }
          : { metadata: { name: node }, spec: {} },
      options: graceSeconds === undefined ? null : { gracePeriodSeconds: graceSeconds },
    },
  });

const denied = (resource: string, node: string, asked: Asked = {}): string | undefined =>
  guardDenialOf(parseDeletion(review(resource, node, asked)), { edgeNodes })?.state;

describe('the guard', () => {
  test.each<[string, string, string, Asked, string | undefined]>([
    ['denies deleting an autonomous node', 'nodes', 'cut', {}, 'Autonomous'],
    ['denies deleting a node that peers see', 'nodes', 'seen', {}, 'Vouched'],
    ['denies deleting its pods by force', 'pods', 'cut', { graceSeconds: 0 }, 'Autonomous'],
    ['lets its pods be asked to end', 'pods', 'cut', { graceSeconds: null }, undefined],
    ['lets its pods be asked to end soon', 'pods', 'cut', { graceSeconds: 1 }, undefined],
    ['lets a connected node be deleted', 'nodes', 'here', {}, undefined],
    ['lets a node be deleted whose period is over', 'nodes', 'over', {}, undefined],
    ['lets a dead node be deleted', 'nodes', 'dead', {}, undefined],
    ['lets a node be deleted that is none of ours', 'nodes', 'cloud', {}, undefined],
    ['lets pods without a node be deleted', 'pods', '', { graceSeconds: 0 }, undefined],
    ['lets the node delete itself', 'nodes', 'cut', { by: 'system:node:cut' }, undefined],
    ['lets the node end its pods', 'pods', 'cut', { by: 'system:node:cut', graceSeconds: 0 }, undefined],
    [
      'lets controllers without accounts of their own do their work',
      'pods',
      'cut',
      { by: 'system:kube-controller-manager', graceSeconds: 0 },
      undefined,
    ],
    ['does not let another node', 'pods', 'cut', { by: 'system:node:here', graceSeconds: 0 }, 'Autonomous'],
    ['lets it be done where it was allowed', 'nodes', 'allowed', {}, undefined],
  ])('%s', (_what, resource, node, asked, expected) => {
    expect(denied(resource, node, asked)).toBe(expected);
  });

  test.each(managerAdmission.exemptFromGuard.map((user) => [user]))('lets %s do its work', (by) => {
    expect(denied('pods', 'cut', { by, graceSeconds: 0 })).toBeUndefined();
  });

  test('tells what to do', () => {
    const message = guardMessage({ kind: 'guarded', node: 'cut', what: 'pod', state: 'Autonomous' });
    expect(message).toMatch(/^the pod's node cut is Autonomous: .* kubectl annotate edgenode cut selvedge/);
  });

  property.prop([fc.oneof(fc.json(), fc.string())])('whatever is sent is a deletion or Invalid', (text) => {
    expect(() => parseDeletion(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });
});
