import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';

import { defaultPullPolicy, parseImageReference, withDefaultTag } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('an image reference', () => {
  it.each([
    ['busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['busybox:1.37', 'docker.io', 'library/busybox', '1.37', undefined],
    ['team/app', 'docker.io', 'team/app', 'latest', undefined],
    ['docker.io/busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['index.docker.io/team/app', 'docker.io', 'team/app', 'latest', undefined],
    ['registry.example/app', 'registry.example', 'app', 'latest', undefined],
    ['registry.example:5000/team/app:v1', 'registry.example:5000', 'team/app', 'v1', undefined],
    ['localhost/app', 'localhost', 'app', 'latest', undefined],
    ['localhost:5000/app', 'localhost:5000', 'app', 'latest', undefined],
    ['[fd00::1]:5000/app', '[fd00::1]:5000', 'app', 'latest', undefined],
    [`app@${digest}`, 'docker.io', 'library/app', undefined, digest],
    [`registry.example/app:v1@${digest}`, 'registry.example', 'app', 'v1', digest],
  ])('%s', (image, registry, path, tag, withDigest) => {
    expect(parseImageReference(image)).toEqual({ registry, path, tag, digest: withDigest });
  });

  it.each([
    ['', 'invalid reference format'],
    ['Wrong Name', 'repository name must be lowercase'],
    ['registry.example/Upper', 'repository name must be lowercase'],
    ['app:', 'invalid reference format'],
    ['app:-tag', 'invalid reference format'],
    ['app@sha256:short', 'invalid reference format'],
    ['-app', 'invalid reference format'],
    ['a'.repeat(64), 'cannot specify 64-byte hexadecimal strings'],
    [`registry.example/${'x'.repeat(250)}`, 'must not be more than 255 characters'],
  ])('%s is none', (image, why) => {
    expect(() => parseImageReference(image)).toThrow(why);
  });

  it('is asked for as it was written, with the tag that it implies', () => {
    const asked = ['busybox', 'registry.example:5000/app', 'app:v1', `app@${digest}`].map(withDefaultTag);
    expect(asked).toEqual(['busybox:latest', 'registry.example:5000/app:latest', 'app:v1', `app@${digest}`]);
  });

  it('is pulled each time if its tag may move', () => {
    const policies = ['app', 'app:latest', 'app:v1', `app:latest@${digest}`].map(defaultPullPolicy);
    expect(policies).toEqual(['Always', 'Always', 'IfNotPresent', 'IfNotPresent']);
  });

  const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/);
  const parts = fc.record({
    registry: fc.option(fc.stringMatching(/^[a-z]{1,8}\.example(:[1-9][0-9]{1,4})?$/), { nil: undefined }),
    path: fc.array(part, { minLength: 2, maxLength: 4 }).map((all) => all.join('/')),
    tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
    withDigest: fc.boolean(),
  });
  test.prop([parts])(
    'comes apart into what it was put together from',
    ({ registry, path, tag, withDigest }) => {
      fc.pre(registry !== undefined || !/^[^/]*[.]/.test(path));
      const prefix = registry === undefined ? '' : `${registry}/`;
      const suffix = `${tag === undefined ? '' : `:${tag}`}${withDigest ? `@${digest}` : ''}`;
      expect(parseImageReference(`${prefix}${path}${suffix}`)).toEqual({
        registry: registry ?? 'docker.io',
        path,
        tag: tag ?? (withDigest ? undefined : 'latest'),
        digest: withDigest ? digest : undefined,
      });
    },
  );
});
