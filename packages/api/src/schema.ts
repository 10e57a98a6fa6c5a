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
}

export interface IntegerSchema extends Common {
  readonly type: 'integer';
  readonly format?: 'int32' | 'int64';
  readonly minimum?: number;
}

export interface BooleanSchema extends Common {
  readonly type: 'boolean';
  readonly default?: boolean;
}

export interface ArraySchema extends Common {
  readonly type: 'array';
  readonly items: Schema;
  readonly maxItems: number;
  /** `map`: items are told apart by `x-kubernetes-list-map-keys`, so that writers may have some each. */
  readonly 'x-kubernetes-list-type': 'atomic' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

export interface ObjectSchema extends Common {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: Readonly<Record<string, never>>;
}

/** The part of OpenAPI v3 that our resources use. Source: kubernetes.io "Structural schema". */
export type Schema = StringSchema | IntegerSchema | BooleanSchema | ArraySchema | ObjectSchema;

type Required<S> = S extends { readonly required: readonly (infer K)[] } ? K : never;

type Fields<P, K> = {
  readonly [Name in keyof P as Name extends K ? Name : never]: FromSchema<P[Name]>;
} & {
  readonly [Name in keyof P as Name extends K ? never : Name]?: FromSchema<P[Name]> | undefined;
};

/** The TypeScript type of the values that a schema, declared `as const`, allows. */
export type FromSchema<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: 'string' }
    ? string
    : S extends { readonly type: 'integer' }
      ? number
      : S extends { readonly type: 'boolean' }
        ? boolean
        : S extends { readonly type: 'array'; readonly items: infer I }
          ? readonly FromSchema<I>[]
          : S extends { readonly properties: infer P }
            ? Fields<P, Required<S>>
            : never;
