import { describe, expect, it } from 'vitest';
import { renderUnit, unitWord } from './unit.ts';

describe('unitWord', () => {
  it.each([
    ['plain', '"plain"'],
    ['two words', '"two words"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['100%', '"100%%"'],
    ['$HOME', '"$$HOME"'],
    ['a\nb', '"a\\nb"'],
  ])('keeps %j one word that says the same', (word, written) => {
    expect(unitWord(word)).toBe(written);
  });
});

describe('renderUnit', () => {
  const unit = { name: 'agent', argv: ['/bin/agent', '--x=1'], env: { A: 'b' }, config: 'one' };

  it('starts the program with its environment', () => {
    const lines = renderUnit(unit).split('\n');
    expect(lines).toContain('ExecStart="/bin/agent" "--x=1"');
    expect(lines).toContain('Environment="A=b"');
  });

  it('is another text when anything of it is another', () => {
    const others = [{ config: 'two' }, { argv: ['/bin/agent'] }, { env: {} }].map((part) => ({
      ...unit,
      ...part,
    }));
    const texts = [unit, ...others].map(renderUnit);
    expect(new Set(texts).size).toBe(texts.length);
    expect(renderUnit({ ...unit })).toBe(texts[0]);
  });

  it('starts after containerd, unless it is containerd', () => {
    expect(renderUnit(unit)).toContain('After=network.target containerd.service');
    expect(renderUnit({ ...unit, name: 'containerd' })).not.toContain('containerd.service');
  });
});
