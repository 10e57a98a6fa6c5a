import { describe, expect, it } from 'vitest';
import { foreignMounts, mountFacts, parseMountInfo } from './mounts.ts';

const text = [
  '22 21 0:40 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/base',
  '23 22 8:1 /volumes/kubelet /var/lib/kubelet rw,relatime - ext4 /dev/root rw',
  String.raw`24 22 8:1 /cache /root/my\040cache ro,relatime - ext4 /dev/root rw`,
  '25 22 0:41 / /run rw,nosuid - tmpfs tmpfs rw,mode=755',
  '26 23 0:42 / /var/lib/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw',
  '',
].join('\n');

describe('the mounts of a machine', () => {
  it('are read with their paths, which may hold blanks', () => {
    expect(parseMountInfo(text).map(({ path, type }) => `${type} ${path}`)).toEqual([
      'overlay /',
      'ext4 /var/lib/kubelet',
      'ext4 /root/my cache',
      'tmpfs /run',
      'tmpfs /var/lib/kubelet/pods/1/volumes/token',
    ]);
  });

  it('are of its disk unless they are in memory or lent', () => {
    const foreign = foreignMounts(parseMountInfo(text));
    expect([...foreign]).toEqual(['/root/my cache', '/run', '/var/lib/kubelet/pods/1/volumes/token']);
  });

  it('are told without those of pods', () => {
    expect(mountFacts(parseMountInfo(text))).toEqual({
      '/': 'overlay relatime,rw',
      '/var/lib/kubelet': 'ext4 relatime,rw',
      '/root/my cache': 'ext4 relatime,ro',
      '/run': 'tmpfs nosuid,rw',
    });
  });
});
