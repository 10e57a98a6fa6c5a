import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { AnswerRoute, StreamRoute } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { createRouter } from './router.ts';
import { targetOf } from './target.ts';

/** Source: `pkg/kubelet/server/auth_test.go`, and the table above `GetRequestAttributes` in `auth.go`. */
const asked: readonly (readonly [path: string, subresources: readonly string[]])[] = [
  ['/stats', ['stats']],
  ['/stats/summary', ['stats']],
  ['/metrics', ['metrics']],
  ['/metrics/cadvisor', ['metrics']],
  ['/logs', ['log']],
  ['/logs/messages', ['log']],
  ['/checkpoint/ns/pod/container', ['checkpoint']],
  ['/pods', ['pods', 'proxy']],
  ['/pods/', ['pods', 'proxy']],
  ['/podsandmore', ['proxy']],
  ['/runningpods', ['pods', 'proxy']],
  ['/runningpods/', ['pods', 'proxy']],
  ['/healthz', ['healthz', 'proxy']],
  ['/healthz/ping', ['healthz', 'proxy']],
  ['/configz', ['configz', 'proxy']],
  ['/statusz', ['statusz']],
  ['/flagz', ['configz']],
  ['/exec/ns/pod/container', ['proxy']],
  ['/attach/ns/pod/container', ['proxy']],
  ['/portForward/ns/pod', ['proxy']],
  ['/containerLogs/ns/pod/container', ['proxy']],
  ['/run/ns/pod/container', ['proxy']],
  ['/metricsandmore', ['proxy']],
  ['/', ['proxy']],
];

describe('what is asked about', () => {
  it.each(asked)('%s is %j', (path, subresources) => {
    const attributes = attributesOf(targetOf('GET', path), 'edge');
    expect(attributes).toEqual(
      subresources.map((subresource) =>
        expect.objectContaining({
          verb: 'get',
          group: '',
          version: 'v1',
          resource: 'nodes',
          subresource,
          namespace: '',
          name: 'edge',
        }),
      ),
    );
  });

  it.each([
    ['POST', 'create'],
    ['GET', 'get'],
    ['PUT', 'update'],
    ['PATCH', 'patch'],
    ['DELETE', 'delete'],
    ['HEAD', ''],
    ['CONNECT', ''],
  ])('%s is the verb %j', (method, verb) => {
    expect(attributesOf(targetOf(method, '/pods'), 'edge')[0]?.verb).toBe(verb);
  });
});

describe('a request target', () => {
  it.each([
    'pods',
    '*',
    'http://127.0.0.1/pods',
    '//pods',
    '/pods//',
    '/metrics/../pods',
    '/metrics/./pods',
    '/metrics/..',
    '/metrics%2f..%2fexec',
    '/%70ods',
    '/pods%00',
    '/pods\\..\\exec',
    '/pods;a=b',
    '/pods#fragment',
    '/exec/ns/pod/con tainer',
    '/exec/ns/pöd/container',
  ])('%s is refused', (url) => {
    expect(() => targetOf('GET', url)).toThrow('the request target is not a path');
  });

  property.prop([fc.string({ unit: 'binary' })])('of any text is a plain path, or refused', (text) => {
    let target;
    try {
      target = targetOf('GET', `/${text}`);
    } catch (error) {
      expect(error).toMatchObject({ code: 'Invalid' });
      return;
    }
    expect(target.path).toMatch(/^[\w~./-]+$/);
    expect(target.segments).not.toContain('..');
    expect(target.segments.join('/')).toBe(target.path.replace(/^\/|\/$/g, ''));
  });

  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,40}[a-z0-9])?$/).filter((one) => one !== '..');
  property.prop([fc.array(name, { minLength: 1, maxLength: 5 }), fc.webQueryParameters()])(
    'of names has these segments, whatever the query',
    (names, query) => {
      const target = targetOf('GET', `/${names.join('/')}?${query}`);
      expect(target.segments).toEqual(names);
      expect(attributesOf(target, 'n')).toEqual(attributesOf(targetOf('GET', `/${names.join('/')}`), 'n'));
    },
  );
});

describe('a route', () => {
  const answer = (path: string, ...methods: readonly string[]): AnswerRoute => ({
    kind: 'answer',
    methods,
    path,
    handle: () => Promise.reject(new Error('not called')),
  });
  const stream: StreamRoute = {
    kind: 'stream',
    methods: ['GET', 'POST'],
    path: '/exec/{namespace}/{pod}/{container}',
    locate: () => Promise.reject(new Error('not called')),
  };
  const router = createRouter([answer('/pods', 'GET'), answer('/pods/{name}', 'DELETE'), stream]);
  const match = (method: string, url: string): unknown => router.match(targetOf(method, url));

  it('is found by its path, a slash at the end or not, with its named segments', () => {
    expect(match('GET', '/pods')).toMatchObject({ route: { path: '/pods' }, params: {} });
    expect(match('GET', '/pods/?verbose')).toMatchObject({ route: { path: '/pods' } });
    expect(match('POST', '/exec/a/b/c')).toMatchObject({
      route: stream,
      params: { namespace: 'a', pod: 'b', container: 'c' },
    });
  });

  it('is not found under other paths, and has no other methods', () => {
    for (const path of ['/', '/Pods', '/pods/a/b', '/exec', '/exec/a/b', '/exec/a/b/c/d/e']) {
      expect(() => match('GET', path)).toThrow('404 page not found');
    }
    expect(() => match('HEAD', '/pods')).toThrow(
      expect.objectContaining({ details: { status: 405, allow: 'GET' } }),
    );
  });

  it('turns connections over if it streams', () => {
    expect(router.isStream(['exec', 'a', 'b', 'c'])).toBe(true);
    expect(router.isStream(['pods'])).toBe(false);
  });
});
