import { describe, expect, it } from 'vitest';
import { parseRequestInfo } from '../request-info/index.ts';
import { partFor } from './serve.ts';

const partOf = (method: string, url: string): string => {
  const { pathname, searchParams } = new URL(url, 'https://hub');
  return partFor(parseRequestInfo(method, pathname, searchParams));
};

describe('a request', () => {
  it.each([
    ['GET', '/api', 'documents'],
    ['GET', '/apis/apps/v1', 'documents'],
    ['GET', '/openapi/v3', 'documents'],
    ['GET', '/readyz', 'documents'],
    ['GET', '/api/v1/pods?watch=1', 'reads'],
    ['GET', '/api/v1/namespaces/a/pods/b', 'reads'],
    ['GET', '/api/v1/namespaces/a/pods/b/status', 'reads'],
    ['GET', '/api/v1/namespaces/a/pods/b/log?follow=true', 'forward'],
    ['GET', '/apis/apps/v1/namespaces/a/deployments/b/scale', 'forward'],
    ['POST', '/api/v1/namespaces/a/events', 'writes'],
    ['PATCH', '/api/v1/nodes/shop-7/status', 'writes'],
    ['DELETE', '/api/v1/namespaces/a/pods', 'writes'],
  ])('%s %s is answered by %s', (method, url, part) => {
    expect(partOf(method, url)).toBe(part);
  });
});
