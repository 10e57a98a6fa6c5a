import { expect, it } from 'vitest';
import { type BedDescription, defaultControlPlane } from '../description.ts';
import { withNode, withSite } from '../description-edit.ts';
import { namespaceSpecs, nodeAddress } from './spec.ts';

const empty: BedDescription = {
  schema: 1,
  name: 'bed',
  index: 3,
  controlPlane: defaultControlPlane,
  sites: [],
  nodes: [],
};
const sites = withSite(withSite(empty, { name: 'a' }), { name: 'b' });
const bed = withNode(withNode(sites, { name: 'n', site: 'a' }), { name: 'm', site: 'b' });

it('lets nodes of two sites have the same address, each behind a router of its own', () => {
  expect(bed.nodes.map((node) => nodeAddress(bed, node).address)).toEqual(['192.168.50.11', '192.168.50.11']);
  const parents = namespaceSpecs(bed).map((spec) => spec.parent);
  expect(parents).toEqual([
    undefined,
    'selvedge.bed.cloud',
    'selvedge.bed.cloud',
    'selvedge.bed.site.a',
    'selvedge.bed.site.b',
  ]);
});

it('touches the machine itself with one interface of its own name, one address and one route', () => {
  const onTheMachine = namespaceSpecs(bed).flatMap(({ setup }) =>
    setup.flatMap((command) =>
      command.kind === 'ip' && command.namespace === undefined ? command.lines : [],
    ),
  );
  expect(onTheMachine).toEqual([
    'link add sv-bed type veth peer name host0 netns selvedge.bed.cloud',
    'addr add 10.60.3.254/32 dev sv-bed',
    'link set sv-bed up',
    'route add 10.60.3.1/32 dev sv-bed src 10.60.3.254',
  ]);
});

it('lets only routers and nodes forward', () => {
  const forwarding = namespaceSpecs(bed).filter(({ setup }) =>
    setup.some((command) => command.kind === 'sysctl' && command.values['net.ipv4.ip_forward'] === 1),
  );
  expect(forwarding.map(({ name }) => name)).not.toContain('selvedge.bed.cloud');
  expect(forwarding).toHaveLength(4);
});
