import { describe, expect, it } from 'vitest';

import { mountsBelow, parseMountPoints } from './mount-table.ts';
import { nestedMountPoints } from './nested.ts';
import { containerWith, podWith } from '../testing.ts';

describe('the table of mounts', () => {
  const text = [
    '22 1 0:20 / / rw,relatime - overlay overlay rw',
    String.raw`30 22 0:25 / /var/a\040b rw - tmpfs tmpfs rw,size=1k`,
    '31 22 0:26 / /var/a\\134b/c rw shared:1 - tmpfs tmpfs rw',
    '32 22 0:26 / /var/ab rw - tmpfs tmpfs rw',
    '',
  ].join('\n');

  it('is read with its escapes', () => {
    expect(parseMountPoints(text)).toEqual(['/', '/var/a b', '/var/a\\b/c', '/var/ab']);
  });

  it('tells a folder from one whose name it begins', () => {
    const points = ['/p/a', '/p/a/x', '/p/ab', '/p'];
    expect(mountsBelow(points, '/p/a')).toEqual(['/p/a', '/p/a/x']);
  });
});

describe('nested mount points', () => {
  it('are the places inside a volume where another one is mounted', () => {
    const volumeMounts = [
      { name: 'conf', mountPath: '/etc/app/' },
      { name: 'tmp', mountPath: '/etc/app/cache' },
      { name: 'x', mountPath: '/etc/application' },
      { name: 'y', mountPath: '/etc/app/../other' },
    ];
    expect(nestedMountPoints(podWith({ containers: [containerWith({ volumeMounts })] }), 'conf')).toEqual([
      'cache',
    ]);
  });
});
