import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { clusterDomainOf, withoutAddition, zoneAddition, zoneBlock } from './zone.ts';

const domain = 'cluster.local';
const corefile = '.:53 {\n    errors\n    kubernetes edge.example in-addr.arpa {\n    }\n}\n';

describe('the zone in a Corefile', () => {
  property.prop([fc.string(), fc.string()])(
    'comes at the end, once, and goes without a trace',
    (text, later) => {
      fc.pre(!/selvedge/.test(text + later));
      const addition = zoneAddition(text, domain);
      const added = text + addition;
      expect(added.endsWith(zoneBlock(domain))).toBe(true);
      expect(zoneAddition(added, domain)).toBe('');
      expect(withoutAddition(added, addition)).toBe(text);
      // What somebody wrote behind it stays.
      expect(withoutAddition(`${added}${later}`, addition)).toBe(text + later);
      expect(withoutAddition(text, addition)).toBe(text);
    },
  );

  test('leads to names of the domain of the cluster', () => {
    expect(clusterDomainOf(corefile)).toBe('edge.example');
    expect(clusterDomainOf('.:53 {\n}\n')).toBe(domain);
    expect(zoneBlock('edge.example')).toContain('cloud-manager.selvedge-system.svc.edge.example.');
    expect(zoneBlock('edge.example')).not.toContain(domain);
  });

  test.each([
    ['changed in it', (text: string) => text.replace('cache 30', 'cache 60')],
    ['took its end away', (text: string) => text.slice(0, text.indexOf('# END'))],
  ])('that somebody %s is left alone', (_what, change) => {
    const addition = zoneAddition(corefile, domain);
    const changed = change(corefile + addition);
    expect(() => withoutAddition(changed, addition)).toThrow(expect.objectContaining({ code: 'Conflict' }));
    expect(() => zoneAddition(changed, domain)).toThrow(expect.objectContaining({ code: 'Conflict' }));
  });

  test('that somebody put there by hand is left alone', () => {
    const own = `${corefile}nodes.selvedge:53 {\n}\n`;
    expect(() => zoneAddition(own, domain)).toThrow(expect.objectContaining({ code: 'Conflict' }));
  });
});
