/** A rule in the Common Expression Language. Source: kubernetes.io "Validation rules" of CustomResourceDefinitions. */
export interface ValidationRule {
  readonly rule: string;
  /** What the writer of a wrong value is told. */
  readonly message: string;
}

interface Common {
  readonly description: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

export interface StringSchema extends Common {
  readonly type: 'string';
  readonly enum?: readonly string[];
  readonly format?: 'date-time';
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly default?: string;
}

export interface IntegerSchema extends Common {
  readonly type: 'integer';
  readonly format?: 'int32' | 'int64';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
}

/** A number, or a percentage such as `10%`. */
export interface IntegerOrStringSchema extends Common {
  readonly 'x-kubernetes-int-or-string': true;
  /** Of the percentage; without one the API server takes it for very long. */
  readonly maxLength?: number;
  readonly default?: number | string;
}

/** What only the API server's own types describe, or any JSON value. Nothing of it is pruned. */
export interface AnySchema extends Common {
  readonly type?: 'object';
  readonly 'x-kubernetes-preserve-unknown-fields': true;
}

export interface BooleanSchema extends Common {
  readonly type: 'boolean';
  readonly default?: boolean;
}

export interface ArraySchema extends Common {
  readonly type: 'array';
  readonly items: Schema;
  readonly minItems?: number;
  readonly maxItems: number;
  /** `map`: items are told apart by `x-kubernetes-list-map-keys`, so that writers may have some each. `set`: by value. */
  readonly 'x-kubernetes-list-type': 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

export interface ObjectSchema extends Common {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: Readonly<Record<string, never>>;
}

/** Keys that the writer chooses, with values of one form. */
export interface MapSchema extends Common {
  readonly type: 'object';
  readonly additionalProperties: Schema;
  readonly maxProperties: number;
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
}

/** The part of OpenAPI v3 that our resources use. Source: kubernetes.io "Structural schema". */
export type Schema =
  | StringSchema
  | IntegerSchema
  | BooleanSchema
  | IntegerOrStringSchema
  | AnySchema
  | ArraySchema
  | MapSchema
  | ObjectSchema;

type Required<S> = S extends { readonly required: readonly (infer K)[] } ? K : never;

type Fields<P, K> = {
  readonly [Name in keyof P as Name extends K ? Name : never]: FromSchema<P[Name]>;
} & {
  readonly [Name in keyof P as Name extends K ? never : Name]?: FromSchema<P[Name]> | undefined;
};

/** JSON that only its reader knows the form of. */
export type AnyObject = Readonly<Record<string, unknown>>;

type FromAny<S> = S extends { readonly type: 'object' } ? AnyObject : unknown;

type FromObject<S> = S extends { readonly properties: infer P }
  ? Fields<P, Required<S>>
  : S extends { readonly additionalProperties: infer V }
    ? Readonly<Record<string, FromSchema<V>>>
    : never;

/** The TypeScript type of the values that a schema, declared `as const`, allows. */
export type FromSchema<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly 'x-kubernetes-preserve-unknown-fields': true }
    ? FromAny<S>
    : S extends { readonly 'x-kubernetes-int-or-string': true }
      ? number | string
      : S extends { readonly type: 'string' }
        ? string
        : S extends { readonly type: 'integer' }
          ? number
          : S extends { readonly type: 'boolean' }
            ? boolean
            : S extends { readonly type: 'array'; readonly items: infer I }
              ? readonly FromSchema<I>[]
              : FromObject<S>;
