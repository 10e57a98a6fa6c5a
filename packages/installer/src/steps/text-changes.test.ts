import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { changeText, withoutChanges } from './text-changes.ts';

const text = 'flags:\n- --a\n- --b\nserver: https://cloud:6443\n';
const edit = {
  changes: [
    { at: text.indexOf('server'), old: '', new: '- --hub=/etc/hub\n' },
    { at: text.indexOf('https'), old: 'https://cloud:6443', new: 'https://hub' },
  ],
  marks: ['/etc/hub', 'https://hub'],
};
const changed = changeText(text, edit.changes);

describe('changes in a text that somebody changed since', () => {
  it.each([
    ['a line more', (of: string) => `# by hand\n${of}`],
    ['a line less', (of: string) => of.replace('- --b\n', '')],
    ['another version', (of: string) => of.replace('--a', '--a=v2')],
  ])('are taken out of it: %s stays', (_what, since) => {
    expect(withoutChanges(since(changed), edit)).toEqual({ kind: 'undone', text: since(text) });
  });

  it.each([
    ['in which none of them is', text],
    ['that has nothing in common with it', 'by hand\n'],
    ['that is empty', ''],
  ])('are none in one %s', (_what, since) => {
    expect(withoutChanges(since, edit)).toEqual({ kind: 'without' });
  });

  it.each([
    ['one of them is left', changed.replace('https://hub', 'https://other'), ['/etc/hub']],
    ['a line is written in another way', changed.replace('- --hub', '-   --hub'), edit.marks],
    ['one is there twice', `${changed}\n- --hub=/etc/hub\n`, edit.marks],
    ['they stand the other way round', 'server: https://hub\n- --hub=/etc/hub\n', edit.marks],
  ])('are left to a person where %s', (_what, since, marks) => {
    expect(withoutChanges(since, edit)).toEqual({ kind: 'mixed', marks });
  });

  it('are none where nothing tells of them', () => {
    expect(withoutChanges(changed, { ...edit, marks: [] })).toEqual({ kind: 'without' });
  });

  const lines = fc.array(fc.stringMatching(/^[a-z: ]{0,8}$/), { maxLength: 5 });
  property.prop([lines, lines, lines])(
    'go, and every byte of somebody else stays, wherever it is',
    (...[above, between, below]) => {
      const added = (of: string): string => {
        const [flags, server] = [of.slice(0, of.indexOf('server')), of.slice(of.indexOf('server'))];
        return [...above, flags, ...between, server, ...below].join('\n');
      };
      expect(withoutChanges(added(changed), edit)).toEqual({ kind: 'undone', text: added(text) });
    },
  );
});
