import { describe, expect, it } from 'vitest';
import { renderTypes } from './wire-types.ts';

const ref = (key: string): { readonly allOf: readonly { readonly $ref: string }[] } => ({
  allOf: [{ $ref: `#/components/schemas/${key}` }],
});

describe('the wire types', () => {
  it('are what JSON carries: strings for times and quantities, optional fields that may be undefined', () => {
    const text = renderTypes(
      new Map([
        ['meta.ObjectMeta', { type: 'object', properties: { name: { type: 'string' } } }],
        ['meta.Time', { type: 'string', format: 'date-time' }],
        ['resource.Quantity', {}],
        [
          'v1.Gadget',
          {
            type: 'object',
            required: ['ready'],
            'x-kubernetes-group-version-kind': [],
            properties: {
              metadata: ref('meta.ObjectMeta'),
              ready: { type: 'boolean' },
              at: ref('meta.Time'),
              limits: { type: 'object', additionalProperties: ref('resource.Quantity') },
              'x-ports': { type: 'array', items: { type: 'integer' } },
            },
          },
        ],
      ]),
    );
    expect(text).toContain(`export interface Gadget {
  readonly metadata: ObjectMeta;
  readonly ready: boolean;
  readonly at?: Time | undefined;
  readonly limits?: Readonly<Record<string, Quantity>> | undefined;
  readonly 'x-ports'?: readonly number[] | undefined;
}
`);
    expect(text).toContain('export type Quantity = string;\n');
    expect(text).toContain('export type Time = string;\n');
  });

  it('refuse two schemas of one name', () => {
    const schemas = new Map([
      ['a.Thing', { type: 'object' }],
      ['b.Thing', { type: 'object' }],
    ]);
    expect(() => renderTypes(schemas)).toThrow(
      'b.Thing and a.Thing are both called Thing: rename one of them',
    );
  });
});
