import { describe, expect, it } from 'vitest';
import { type BedDescription, defaultControlPlane, parseDescription } from './description.ts';
import { withFaults, withNode, withPower, withSite, withoutNode, withoutSite } from './description-edit.ts';

const empty: BedDescription = {
  schema: 1,
  name: 'bed',
  index: 3,
  controlPlane: defaultControlPlane,
  sites: [],
  nodes: [],
};
const twoSites = withSite(withSite(empty, { name: 'shop-1' }), { name: 'shop-2' });

describe('a bed’s description', () => {
  it('gives two sites the same LAN and different addresses on the WAN', () => {
    expect(twoSites.sites).toMatchObject([
      { lan: '192.168.50.0/24', wanHost: 11 },
      { lan: '192.168.50.0/24', wanHost: 12 },
    ]);
  });

  it('counts the addresses of each site by itself', () => {
    const bed = ['a', 'b'].reduce((before, name) => withNode(before, { name }), twoSites);
    const third = withNode(bed, { name: 'c', site: 'shop-2' });
    expect(third.nodes.map(({ site, host }) => [site, host])).toEqual([
      ['shop-1', 11],
      ['shop-1', 12],
      ['shop-2', 11],
    ]);
  });

  it('puts kube-proxy beside a kubelet and not beside edge-lite, unless asked to', () => {
    const proxies = [{ agent: 'stock' }, { agent: 'lite' }, { agent: 'lite', kubeProxy: true }] as const;
    const beds = proxies.map((options) => withNode(twoSites, { name: 'n', ...options }));
    expect(beds.map(({ nodes }) => nodes[0]?.kubeProxy)).toEqual([true, false, true]);
  });

  it('puts nodes of the cloud into its own network', () => {
    expect(withNode(empty, { name: 'n', site: 'cloud' }).nodes[0]).toMatchObject({
      site: 'cloud',
      host: 120,
    });
  });

  it.each([
    ['a node twice', () => withNode(withNode(twoSites, { name: 'n' }), { name: 'n' }), 'AlreadyExists'],
    ['a site twice', () => withSite(twoSites, { name: 'shop-1' }), 'AlreadyExists'],
    ['a site named cloud', () => withSite(twoSites, { name: 'cloud' }), 'AlreadyExists'],
    ['a node without a site', () => withNode(empty, { name: 'n' }), 'NotFound'],
    ['a node in no site', () => withNode(twoSites, { name: 'n', site: 'shop-9' }), 'NotFound'],
    ['a name with a slash', () => withNode(twoSites, { name: '../n' }), 'Invalid'],
    ['a site that has nodes', () => withoutSite(withNode(twoSites, { name: 'n' }), 'shop-1'), 'Conflict'],
    ['a node that is not there', () => withoutNode(twoSites, 'n'), 'NotFound'],
    ['power of a node that is not there', () => withPower(twoSites, 'n', false), 'NotFound'],
    ['faults of a site that is not there', () => withFaults(twoSites, 'shop-9', {}), 'NotFound'],
  ])('refuses %s', (_, edit, code) => {
    expect(edit).toThrow(expect.objectContaining({ code }));
  });

  it('is read as it was written, and refused if something else wrote it', () => {
    expect(parseDescription(JSON.stringify(twoSites))).toEqual(twoSites);
    expect(() => parseDescription('{"schema":2}')).toThrow('not a description');
  });
});
