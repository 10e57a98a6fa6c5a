import { createMetricsRegistry } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import type { Caller, HubHandler, HubRequest } from '../request.ts';
import { createOperatorGate } from './operator-gate.ts';
import type { Attributes } from './types.ts';

const user = { username: 'jo', groups: ['system:masters'] };
const operator: Caller = { kind: 'operator', user };
const signal = new AbortController().signal;

function requestOf(line: string, caller: Caller = operator): HubRequest {
  const [method = '', url = ''] = line.split(' ');
  const { pathname: path, searchParams: query } = new URL(url, 'https://hub');
  return { method, path, query, headers: {}, body: undefined, caller, signal };
}

/** A gate whose access lets read, and what came to it and through it. */
function gate() {
  const log = recordingLogger();
  const metrics = createMetricsRegistry();
  const asked: Attributes[] = [];
  const passed: string[] = [];
  const next: HubHandler = async ({ path }) => {
    passed.push(path);
    return { status: 200, headers: {}, body: new Uint8Array() };
  };
  const authorize = async (_user: unknown, attributes: Attributes) => {
    asked.push(attributes);
    const allowed = ['get', 'list', 'watch'].includes(attributes.verb);
    return { allowed, reason: allowed ? '' : 'operators may only read' };
  };
  const handle = createOperatorGate(next, { access: { authorize }, log, metrics });
  return { handle, log, metrics, asked, passed };
}

test("an operator's request goes on when it is allowed, and is in the log", async () => {
  const { handle, log, metrics, passed } = gate();
  await handle(requestOf('GET /apis/apps/v1/namespaces/shop/deployments?watch=1'));
  await handle(requestOf('GET /version'));
  expect(passed).toEqual(['/apis/apps/v1/namespaces/shop/deployments', '/version']);
  const text = 'operator request';
  const what = { verb: 'watch', resource: 'deployments.apps', subresource: '', namespace: 'shop', name: '' };
  expect(log.lines).toEqual([
    { level: 'info', text, fields: { user: 'jo', ...what, outcome: 'allowed' } },
    { level: 'info', text, fields: { user: 'jo', verb: 'get', path: '/version', outcome: 'allowed' } },
  ]);
  expect(metrics.render()).toContain('selvedge_access_operator_requests_total{outcome="allowed"} 2');
});

test('one that is denied goes no further, and says why', async () => {
  const { handle, log, passed } = gate();
  await expect(handle(requestOf('DELETE /api/v1/namespaces/shop/pods/till'))).rejects.toMatchObject({
    code: 'Forbidden',
    message:
      'pods "till" is forbidden: User "jo" cannot delete resource "pods" in API group "" in the namespace "shop": operators may only read',
  });
  expect(passed).toEqual([]);
  expect(log.lines[0]?.fields).toMatchObject({
    verb: 'delete',
    resource: 'pods',
    name: 'till',
    outcome: 'denied',
  });
});

test('others pass unasked', async () => {
  const { handle, log, asked, passed } = gate();
  await handle(requestOf('DELETE /api/v1/namespaces/shop/pods/till', { kind: 'node', user }));
  expect([log.lines, asked]).toEqual([[], []]);
  expect(passed).toHaveLength(1);
});
