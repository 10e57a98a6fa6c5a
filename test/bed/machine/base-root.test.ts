import { describe, expect, it } from 'vitest';
import { debootstrapArgv } from './base-root.ts';

describe('debootstrapArgv', () => {
  it('mounts and starts nothing outside of its own namespaces', () => {
    const mirror = { url: 'http://archive.test/ubuntu', suite: 'noble', components: ['main', 'universe'] };
    const argv = debootstrapArgv(mirror, '/cache/root');
    const command = argv.indexOf('debootstrap');
    expect(argv.slice(0, command)).toEqual(expect.arrayContaining(['--mount', '--pid', '--kill-child']));
    expect(argv).toContain('--components=main,universe');
    expect(argv.slice(-3)).toEqual(['noble', '/cache/root', 'http://archive.test/ubuntu']);
  });
});
