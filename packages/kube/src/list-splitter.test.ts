import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type ListPiece, createListSplitter } from './list-splitter.ts';

function split(bytes: Uint8Array, chunkBytes: number, maxPieceBytes = 1_000_000): ListPiece[] {
  const splitter = createListSplitter({ maxPieceBytes });
  const pieces: ListPiece[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    pieces.push(...splitter.push(bytes.subarray(at, at + chunkBytes)));
  }
  return [...pieces, splitter.end()];
}

const texts = (pieces: readonly ListPiece[], kind: ListPiece['kind']): readonly string[] =>
  pieces.filter((piece) => piece.kind === kind).map(({ text }) => text);

const item = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
const list = fc.record({
  key: fc.constantFrom('items', 'rows'),
  items: fc.array(item, { maxLength: 8 }),
  before: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
  after: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
  space: fc.constantFrom(undefined, 1, '\t'),
});
/** A document's own keys of that name, arrays among them, would be its items. */
const others = (document: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !/items|rows/.test(key)));

describe('list splitter', () => {
  property.prop([list, fc.integer({ min: 1, max: 40 })])(
    'finds the items however the bytes are cut',
    ({ key, items, before, after, space }, chunkBytes) => {
      const document = { a: 'b', ...others(before), [key]: items, ...others(after) };
      const text = JSON.stringify(document, null, space);
      const pieces = split(Buffer.from(text), chunkBytes);
      expect(texts(pieces, 'item').map((one) => JSON.parse(one) as unknown)).toEqual(
        JSON.parse(JSON.stringify(items)),
      );
      const [head = '', ...rest] = [...texts(pieces, 'head'), ...texts(pieces, 'item')];
      const whole = `${head}${rest.join(',')}${texts(pieces, 'tail').join('')}`;
      expect(JSON.parse(whole)).toEqual(JSON.parse(text));
    },
  );

  it('splits at every chunk size, with escapes and brackets in strings', () => {
    const items = [{ a: '"\\"[{]}\\' }, { b: 'ü€𐍈', c: [[{}]] }, {}];
    const bytes = Buffer.from(
      JSON.stringify({ kind: 'List', metadata: { items: [1] }, items, z: { items } }),
    );
    const expected = split(bytes, bytes.length);
    expect(texts(expected, 'item')).toEqual(items.map((one) => JSON.stringify(one)));
    for (let size = 1; size < bytes.length; size += 1) expect(split(bytes, size)).toEqual(expected);
  });

  it('gives a document without items as a whole', () => {
    const text = '{"kind":"Status","details":{"causes":[{"a":1}]},"items":null}';
    expect(split(Buffer.from(text), 7)).toEqual([{ kind: 'whole', text }]);
  });

  it('holds one item at a time', () => {
    const text = `{"items":[${Array.from({ length: 100 }, () => '{"a":"0123456789"}').join(',')}]}`;
    expect(texts(split(Buffer.from(text), 64, 40), 'item')).toHaveLength(100);
    expect(() => split(Buffer.from(text), 64, 17)).toThrow(
      expect.objectContaining({ code: 'ResourceExhausted' }),
    );
  });

  it.each([
    '{"items":[{"a":1}',
    '{"items":[{"a":"',
    '{"kind":"PodList"',
    '',
    '{"items":[1]}',
    '{"items":[null]}',
  ])('refuses %j', (text) => {
    expect(() => split(Buffer.from(text), 4)).toThrow(expect.objectContaining({ code: 'Corrupt' }));
  });
});
