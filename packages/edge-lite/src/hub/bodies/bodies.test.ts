import { hasCode } from '@selvedge/kit';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { decodeBody, objectName, translateBody } from './index.ts';

const bodyOf = (text: string | Uint8Array, contentType?: string) => ({
  contentType,
  bytes: typeof text === 'string' ? Buffer.from(text) : text,
});
/** Marks what it was given, to be seen in the result. */
const marked = (version: string): string => `<${version}>`;
const translated = (text: string, contentType?: string): string =>
  Buffer.from(translateBody(bodyOf(text, contentType), marked)).toString();

describe('an object in JSON', () => {
  test('has its version translated, and every other byte kept', () => {
    const text =
      ' { "spec" : {"resourceVersion":"1"},"metadata":{ "a":[{}, "}"], "resourceVersion" : "7" }, "n":1.0 }\n';
    expect(translated(text)).toBe(text.replace('"7"', '"<7>"'));
  });

  test.each([
    ['without metadata', '{"kind":"Node"}'],
    ['without a version', '{"metadata":{"name":"a"}}'],
    ['with an empty version', '{"metadata":{"resourceVersion":""}}'],
    ['with the version zero', '{"metadata":{"resourceVersion":"0"}}'],
    ['with a version that is no text', '{"metadata":{"resourceVersion":7}}'],
    ['with preconditions, but no options', '{"kind":"Thing","preconditions":{"resourceVersion":"7"}}'],
  ])('%s is passed on in the same bytes', (_, text) => {
    const body = bodyOf(text);
    expect(translateBody(body, marked)).toBe(body.bytes);
  });

  test('whose translation is the same is passed on in the same bytes', () => {
    const body = bodyOf('{"metadata":{"resourceVersion":"7"}}');
    expect(translateBody(body, (version) => version)).toBe(body.bytes);
  });

  test('may name the version twice, or with escapes', () => {
    const text = String.raw`{"metadata":{"resourceVersion":"7","resource\u0056ersion":"8"}}`;
    expect(translated(text)).toBe(text.replace('"7"', '"<7>"').replace('"8"', '"<8>"'));
  });
});

describe('options', () => {
  test.each([
    ['{"preconditions":{"resourceVersion":"7","uid":"7"}}'],
    ['{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"resourceVersion":"7"}}'],
    ['{"kind":"Eviction","deleteOptions":{"preconditions":{"resourceVersion":"7"}}}'],
  ])('%s have their precondition translated', (text) => {
    expect(translated(text)).toBe(text.replace('resourceVersion":"7"', 'resourceVersion":"<7>"'));
  });
});

describe('an event', () => {
  const shown = (7n << 20n).toString();
  const field = (number: number, value: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([number * 8 + 2, value.length]), value]);
  const event = (apiVersion: string, object: number): Buffer => {
    const typeMeta = Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from('Event'))]);
    return Buffer.concat([field(1, typeMeta), field(2, field(object, field(6, Buffer.from(shown))))]);
  };

  test.each([
    ['application/json', `{"kind":"Event","involvedObject":{"resourceVersion":"${shown}"}}`],
    ['application/json', `{"kind":"Event","related":{},"regarding":{"resourceVersion":"${shown}"}}`],
    ['application/yaml', `kind: Event\nregarding: {resourceVersion: "${shown}"}\n`],
  ])('in %s tells of an object in the version that upstream knows: %s', (type, text) => {
    expect(translated(text, type)).toBe(text.replace(shown, '7'));
  });

  test.each([
    ['v1', 2],
    ['events.k8s.io/v1', 8],
  ])('in protobuf of %s, too', (apiVersion, object) => {
    const body = Buffer.concat([Buffer.from('k8s\0'), event(apiVersion, object)]);
    const bytes = translateBody(bodyOf(body, 'application/vnd.kubernetes.protobuf'), marked);
    expect(Buffer.from(bytes).includes(field(object, field(6, Buffer.from('7'))))).toBe(true);
    expect(Buffer.from(bytes).includes(shown)).toBe(false);
  });
});

describe('a patch', () => {
  test.each(['application/merge-patch+json', 'application/strategic-merge-patch+json; charset=utf-8'])(
    'of type %s has the version of its object translated',
    (type) => {
      const text = '{"metadata":{"resourceVersion":"7"},"status":{"resourceVersion":"7"}}';
      expect(translated(text, type)).toBe(text.replace('"7"', '"<7>"'));
    },
  );

  test('in JSON operations has each of its versions translated', () => {
    const text = `[ {"op":"test","path":"/metadata/resourceVersion","value":"1"},
      {"op":"add","path":"/spec/resourceVersion","value":"2"},
      {"op":"replace","path":"/metadata","value":{"name":"a","resourceVersion":"3"}},
      {"op":"add","path":"","value":{"metadata":{"resourceVersion":"4"}}}, {"op":"remove","path":"/metadata"}]`;
    const wanted = text.replaceAll(/"([134])"/g, '"<$1>"');
    expect(translated(text, 'application/json-patch+json')).toBe(wanted);
  });

  test.each([
    ['metadata:\n  labels: {a: "ä"} # 7\n  resourceVersion: "7"\n', '"7"'],
    ["metadata: {resourceVersion: '7', name: x}", "'7'"],
    ['{"metadata":{"resourceVersion":"7"}}', '"7"'],
  ])('to apply has its version translated, in YAML as in JSON', (text, version) => {
    expect(translated(text, 'application/apply-patch+yaml')).toBe(text.replace(version, '"<7>"'));
  });
});

test.each([
  ['{"metadata":{"name":"a"}}', undefined, 'a'],
  ['metadata:\n  name: a\n', 'application/yaml', 'a'],
  ['k8s\0\x12\x05\x0a\x03\x0a\x01a', 'application/vnd.kubernetes.protobuf', 'a'],
  ['k8s\0\x12\x05\x0a\x03\x12\x01a', 'application/vnd.kubernetes.protobuf', ''],
  ['{"metadata":{"generateName":"a"}}', undefined, ''],
  ['[{"metadata":{"name":"a"}}]', undefined, ''],
])('the object in %j of type %s has the name %j', (text, type, name) => {
  expect(objectName(bodyOf(text, type))).toBe(name);
});

describe('what cannot be read', () => {
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;

  test.each([
    ['cut JSON', '{', undefined],
    ['a list', '[]', undefined],
    ['operations that are no list', '{}', 'application/json-patch+json'],
    ['a YAML list', '- resourceVersion', 'application/apply-patch+yaml'],
    ['cut YAML', 'a: [resourceVersion', 'application/apply-patch+yaml'],
    ['deep JSON', deep, 'application/json-patch+json'],
    ['deep YAML', `resourceVersion: ${deep}`, 'application/yaml'],
    ['long YAML', `resourceVersion: ${'x'.repeat(200_000)}`, 'application/yaml'],
    ['no protobuf', '"k8s"', 'application/vnd.kubernetes.protobuf'],
    ['cut protobuf', 'k8s\0\u0012\u0003ab', 'application/vnd.kubernetes.protobuf'],
    ['a group', 'k8s\0\u0013\u0014', 'application/vnd.kubernetes.protobuf'],
  ])('is refused: %s', (_, text, type) => {
    const refusal = expect.objectContaining({ code: 'Invalid' });
    expect(() => translateBody(bodyOf(text, type), marked)).toThrow(refusal);
  });

  test('is refused: another format', () => {
    const refusal = expect.objectContaining({ code: 'Unsupported' });
    expect(() => translateBody(bodyOf('x', 'application/apply-patch+cbor'), marked)).toThrow(refusal);
    const pipe = bodyOf('k8s\0', 'application/vnd.kubernetes.protobuf');
    expect(() => decodeBody(pipe)).toThrow(refusal);
  });

  test('an empty body says nothing', () => {
    expect(decodeBody(bodyOf(''))).toEqual({});
    expect(translateBody(bodyOf(''), marked)).toHaveLength(0);
  });
});

const versions = fc.constantFrom('', '0', '7', '73786976294838206464');
const json = fc.dictionary(
  fc.constantFrom('kind', 'spec', 'a"b', '__proto__', 'ü'),
  fc.jsonValue({ maxDepth: 3 }),
);
const spaces = fc.constantFrom(0, 2, '\t');

property.prop([json, json, versions, spaces])(
  'an object with a version differs in nothing else, whatever is around it',
  (outer, inner, version, space) => {
    const object = { ...outer, metadata: { ...inner, resourceVersion: version }, z: outer };
    const text = JSON.stringify(object, undefined, space);
    const wanted = version === '' || version === '0' ? version : marked(version);
    const next = { ...object, metadata: { ...inner, resourceVersion: wanted } };
    expect(translated(text)).toBe(JSON.stringify(next, undefined, space));
  },
);

const types = fc.constantFrom(
  undefined,
  'application/yaml',
  'application/json-patch+json',
  'application/apply-patch+yaml',
  'application/vnd.kubernetes.protobuf',
);

property.prop([fc.uint8Array(), types, fc.boolean()])(
  'noise never does worse than Invalid',
  (noise, type, has) => {
    const bytes = has ? Buffer.concat([Buffer.from('k8s\0'), noise]) : noise;
    for (const read of [
      () => translateBody(bodyOf(bytes, type), marked),
      () => decodeBody(bodyOf(bytes, type)),
      () => objectName(bodyOf(bytes, type)),
    ]) {
      try {
        read();
      } catch (error) {
        expect(hasCode(error, 'Invalid', 'Unsupported')).toBe(true);
      }
    }
  },
);
