import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { attributesOf, groupResource, heldResource, resourceParts } from './held-resource.ts';
import { parseRequestInfo } from './request-info.ts';
import type { RequestInfo } from './types.ts';

function parse(method: string, url: string): RequestInfo {
  const [path = '', query = ''] = url.split('?');
  return parseRequestInfo(method, path, new URLSearchParams(query));
}

/** `verb group/version namespace resource name subresource`, `-` for what is empty. */
function line(info: RequestInfo): string {
  if (info.kind === 'nonResource') return `${info.verb} ${info.path}`;
  const { verb, group, version, namespace, resource, name, subresource } = info;
  return [verb, `${group}/${version}`, namespace, resource, name, subresource]
    .map((word) => (word === '' ? '-' : word))
    .join(' ');
}

describe('request info', () => {
  it.each([
    ['GET', '/api/v1/namespaces', 'list /v1 - namespaces - -'],
    ['GET', '/api/v1/namespaces/other', 'get /v1 other namespaces other -'],
    ['GET', '/api/v1/namespaces/other/status', 'get /v1 other namespaces other status'],
    ['PUT', '/api/v1/namespaces/other/finalize', 'update /v1 other namespaces other finalize'],
    ['GET', '/api/v1/namespaces/other/pods', 'list /v1 other pods - -'],
    ['GET', '/api/v1/namespaces/other/pods/foo', 'get /v1 other pods foo -'],
    ['HEAD', '/api/v1/namespaces/other/pods/foo', 'get /v1 other pods foo -'],
    ['HEAD', '/api/v1/pods', 'list /v1 - pods - -'],
    ['GET', '/api/v1/pods', 'list /v1 - pods - -'],
    ['GET', '/api/v1/pods?watch=true', 'watch /v1 - pods - -'],
    ['GET', '/api/v1/pods?watch', 'watch /v1 - pods - -'],
    ['GET', '/api/v1/pods?watch=0', 'list /v1 - pods - -'],
    ['GET', '/api/v1/pods?watch=False', 'list /v1 - pods - -'],
    ['GET', '/api/v1/pods?watch=true&fieldSelector=metadata.name%3Dfoo', 'watch /v1 - pods foo -'],
    ['GET', '/api/v1/pods?fieldSelector=a=b,metadata.name==foo', 'list /v1 - pods foo -'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name!=foo', 'list /v1 - pods - -'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name=a/b', 'list /v1 - pods - -'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name', 'list /v1 - pods - -'],
    ['GET', '/api/v1/watch/pods', 'watch /v1 - pods - -'],
    ['GET', '/api/v1/watch/namespaces/other/pods/foo', 'watch /v1 other pods foo -'],
    ['GET', '/api/v1/watch', 'list /v1 - watch - -'],
    ['GET', '/api/v1/proxy/namespaces/other/pods/foo/a/b', 'proxy /v1 other pods foo -'],
    ['POST', '/api/v1/namespaces/other/pods', 'create /v1 other pods - -'],
    ['PATCH', '/api/v1/namespaces/other/pods/foo/status', 'patch /v1 other pods foo status'],
    ['DELETE', '/api/v1/namespaces/other/pods/foo', 'delete /v1 other pods foo -'],
    ['DELETE', '/api/v1/namespaces/other/pods', 'deletecollection /v1 other pods - -'],
    ['DELETE', '/api/v1/pods?fieldSelector=metadata.name=foo', 'deletecollection /v1 - pods - -'],
    ['OPTIONS', '/api/v1/pods', '- /v1 - pods - -'],
    ['GET', '/apis/apps/v1/namespaces/a/deployments/b/scale', 'get apps/v1 a deployments b scale'],
    ['GET', '/apis/apps/v1/deployments', 'list apps/v1 - deployments - -'],
    ['GET', '/api/v1/namespaces/a%62/pods/', 'list /v1 ab pods - -'],
    [
      'GET',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
      'get rbac.authorization.k8s.io/v1 - clusterroles system:node -',
    ],
    ['GET', '/', 'get /'],
    ['GET', '/api/v1', 'get /api/v1'],
    ['GET', '/apis/apps/v1', 'get /apis/apps/v1'],
    ['HEAD', '/healthz', 'head /healthz'],
    ['GET', '/openapi/v3/apis/apps/v1', 'get /openapi/v3/apis/apps/v1'],
  ])('reads %s %s as %s', (method, url, expected) => {
    expect(line(parse(method, url))).toBe(expected);
  });

  it('keeps the rest of a proxied path', () => {
    const info = parse('GET', '/api/v1/namespaces/a/services/b/proxy/c//d%2Fe');
    expect(info).toMatchObject({ subresource: 'proxy', rest: ['c', '', 'd/e'] });
  });

  it('gives selectors to those verbs only that have them', () => {
    const query = 'labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dn';
    const both = { labelSelector: 'a=b', fieldSelector: 'spec.nodeName=n' };
    const none = { labelSelector: '', fieldSelector: '' };
    expect(parse('GET', `/api/v1/pods?${query}`)).toMatchObject(both);
    expect(parse('DELETE', `/api/v1/pods?${query}`)).toMatchObject(both);
    expect(parse('GET', `/api/v1/watch/pods?${query}`)).toMatchObject(none);
    expect(parse('GET', `/api/v1/namespaces/a/pods/b?${query}`)).toMatchObject(none);
  });

  it.each([
    '/api/v1/../v1/pods',
    '/api/v1/namespaces/a/pods/%2e%2e/secrets',
    '/api/v1/namespaces/a%2Fsecrets/pods',
    '/api//v1/pods',
    '/api/v1/namespaces/a/pods/%',
    '/api/v1/namespaces/a/pods/%ff',
    '/api/v1/namespaces/a/pods/a%00',
    '/api/v1/namespaces/a/services/b/proxy/../../c',
  ])('refuses %s', (path) => {
    expect(() => parse('GET', path)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });

  const word = fc.stringMatching(/^[a-z0-9]([a-z0-9.:-]{0,10}[a-z0-9])?$/);
  const resource = word.filter(
    (text) => !['namespaces', 'watch', 'proxy', 'status', 'finalize'].includes(text),
  );
  const group = fc.oneof(fc.constant(''), word);

  property.prop([
    fc.record({ group, version: word, namespace: word, resource, name: word, subresource: word }),
  ])('finds what a path was made of, however it is encoded', (parts) => {
    const prefix = parts.group === '' ? '/api' : `/apis/${parts.group}`;
    const { version, namespace, name, subresource } = parts;
    const plain = [prefix, version, 'namespaces', namespace, parts.resource, name, subresource].join('/');
    const encoded = plain.replaceAll(/[a-c]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    expect(parse('GET', plain)).toMatchObject({ kind: 'resource', verb: 'get', ...parts });
    expect(parse('GET', encoded)).toEqual(parse('GET', plain));
  });

  property.prop([fc.webPath(), fc.constantFrom('GET', 'PUT', 'DELETE', 'TRACE')])(
    'answers or refuses any path',
    (path, method) => {
      try {
        expect(parse(method, path)).toBeDefined();
      } catch (error) {
        expect(error).toMatchObject({ code: 'Invalid' });
      }
    },
  );

  property.prop([fc.record({ group, version: word, resource: word, metadataOnly: fc.boolean() })])(
    'turns a resource into its key and back',
    (parts) => {
      expect(resourceParts(heldResource(parts))).toEqual(parts);
    },
  );

  it('names resources as the API server does', () => {
    expect(heldResource({ group: '', version: 'v1', resource: 'pods' })).toBe('v1/pods');
    expect(heldResource({ group: 'apps', version: 'v1', resource: 'deployments' })).toBe(
      'apps/v1/deployments',
    );
    expect(groupResource({ group: 'apps', resource: 'deployments' })).toBe('deployments.apps');
  });

  it('says what is to be allowed', () => {
    expect(attributesOf(parse('GET', '/version'))).toEqual({
      kind: 'nonResource',
      verb: 'get',
      path: '/version',
    });
    expect(attributesOf(parse('GET', '/api/v1/namespaces/a/pods/b/log'))).toEqual({
      kind: 'resource',
      verb: 'get',
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource: 'log',
      namespace: 'a',
      name: 'b',
      labelSelector: '',
      fieldSelector: '',
    });
  });
});
