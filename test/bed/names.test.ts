import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { bedNames, checkBedName } from './names.ts';

const bed = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);

test.prop([bed, bed, fc.string()])(
  'names of one bed are never taken for those of another',
  (one, other, node) => {
    fc.pre(one !== other);
    const [mine, theirs] = [bedNames(one), bedNames(other)];
    expect(theirs.node(node).startsWith(mine.namespacePrefix)).toBe(false);
    expect(theirs.podNetwork(node).startsWith(mine.namespacePrefix)).toBe(false);
    expect(theirs.mark(node).startsWith(mine.mark())).toBe(false);
    expect(`${theirs.nodeCgroup(node)}/`.startsWith(`${mine.cgroup}/`)).toBe(false);
    expect(theirs.hostLink).not.toBe(mine.hostLink);
  },
);

test.prop([bed])('the name of the interface fits into what the kernel allows', (name) => {
  expect(bedNames(name).hostLink.length).toBeLessThanOrEqual(15);
});

it('keeps the marks of nodes apart whose names begin alike', () => {
  const names = bedNames('bed');
  expect(names.mark('node.n10').startsWith(names.mark('node.n1'))).toBe(false);
});

it.each(['', 'Bed', '1bed', 'bed-', 'a.b', '../x', 'thirteen-char'])('refuses %j as a name', (name) => {
  expect(() => checkBedName(name)).toThrow('cannot name a bed');
});
