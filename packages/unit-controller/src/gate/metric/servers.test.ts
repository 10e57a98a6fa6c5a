import { describe, expect, test } from 'vitest';
import { parseServer, serverFor } from './servers.ts';

const allowedBy = (servers: readonly string[], url: string): string | undefined => {
  const found = serverFor(servers.map(parseServer), new URL(url));
  return found === undefined ? undefined : `${found.origin}${found.path}`;
};

const metrics = 'https://metrics.example.org';

describe('a server that is allowed', () => {
  test.each([
    ['https://metrics.example.org/any?query=1'],
    ['https://METRICS.Example.ORG/'],
    ['HTTPS://metrics.example.org:443/api'],
    ['https://metrics.example.org:0443/'],
    ['https:\\\\metrics.example.org\\api'],
    ['https://metrics%2Eexample.org/'],
  ])('is asked for %s, however that is written', (url) => {
    expect(allowedBy([metrics], url)).toBe(`${metrics}/`);
  });

  test.each([
    ['http://metrics.example.org/', 'another scheme'],
    ['https://metrics.example.org:8443/', 'another port'],
    ['https://metrics.example.org.evil.test/', 'another host'],
    ['https://metrics.example.org./', 'another host, with a dot'],
    ['https://evil.test/https://metrics.example.org/', 'another host'],
    ['https://evil.test\\@metrics.example.org/', 'another host'],
    ['https://metrics.example.org@evil.test/', 'a user'],
    ['https://metrics.example.org:443@evil.test/', 'a user and a password'],
    ['https://user@metrics.example.org/', 'a user'],
    ['https://:secret@metrics.example.org/', 'a password'],
    ['https://evil.test#@metrics.example.org/', 'another host and a fragment'],
    ['https://evil.test?@metrics.example.org/', 'another host and a query'],
    ['https://169.254.169.254/', 'an address'],
    ['file:///etc/passwd', 'a file'],
  ])('is not asked for %s: %s', (url) => {
    expect(allowedBy([metrics], url)).toBe(undefined);
  });

  test.each([
    ['http://[2001:db8::1]:9090', 'http://[2001:0DB8:0:0::1]:9090/x', true],
    ['http://[2001:db8::1]:9090', 'http://[2001:db8::2]:9090/x', false],
    ['http://[::ffff:10.0.0.1]', 'http://10.0.0.1/', false],
    ['http://10.0.0.1', 'http://0x0a.1/', true],
    ['http://10.0.0.1', 'http://167772161:80/', true],
    ['http://10.0.0.1', 'http://10.0.0.10/', false],
  ])('%s for %s: %s', (server, url, isAllowed) => {
    expect(allowedBy([server], url) !== undefined).toBe(isAllowed);
  });

  test.each([
    ['/api/v1', true],
    ['/api/v1?query=../..', true],
    ['/api/v1/query', true],
    ['/api/./v1/query', true],
    ['/api/v1beta', false],
    ['/api', false],
    ['/API/v1', false],
    ['/api/v1/../admin', false],
    ['/api/v1/%2e%2E/admin', false],
    ['/api/v1/..%2Fadmin', false],
    ['/api/v1/..%5cadmin', false],
    ['/api/v1\\..\\admin', false],
    ['//api/v1', false],
  ])('with the path /api/v1 is asked for %s: %s', (path, isAllowed) => {
    for (const prefix of ['/api/v1', '/api/v1/']) {
      const isSlashWanted = prefix.endsWith('/') && /^\/api\/v1(\?|$)/.test(path);
      expect(allowedBy([metrics + prefix], metrics + path) !== undefined).toBe(isAllowed && !isSlashWanted);
    }
  });

  test('is the first of several that fits', () => {
    const servers = [`${metrics}/shops/`, `${metrics}/`, 'http://other:9090'];
    expect(allowedBy(servers, `${metrics}/shops/a`)).toBe(`${metrics}/shops/`);
    expect(allowedBy(servers, `${metrics}/plants/a`)).toBe(`${metrics}/`);
    expect(allowedBy([], `${metrics}/`)).toBe(undefined);
  });

  test.each([
    'ftp://metrics',
    'metrics:9090',
    'https://a@metrics',
    'https://metrics/?a',
    'https://metrics/#a',
  ])('cannot be %s', (url) => {
    expect(() => parseServer(url)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });
});
