import type { ArraySchema, MapSchema, ObjectSchema, StringSchema, ValidationRule } from './schema.ts';

/** Characters of a name that is part of other names and the value of a label. */
export const maxNameLength = 63;

/** Source: kubernetes.io "Object Names and IDs", RFC 1123 label names. */
export const labelName = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

/** Source: kubernetes.io "Labels and Selectors", syntax and character set. Keys of annotations and taints have it too. */
const qualifiedName =
  '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
const labelText = '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$';

/** The keys of a map are those of labels. */
export const keysAreNames = {
  rule: `self.all(key, key.matches('${qualifiedName}'))`,
  message:
    'a key is a name of at most 63 characters of A-Za-z0-9-_., with or without a domain and a slash in front',
} as const satisfies ValidationRule;

/** The values of a map are those of labels. */
export const valuesAreLabels = {
  rule: `self.all(key, self[key].matches('${labelText}'))`,
  message: 'a value has at most 63 characters of A-Za-z0-9-_. and begins and ends with a letter or digit',
} as const satisfies ValidationRule;

export const isName = {
  rule: `self.matches('${qualifiedName}')`,
  message: keysAreNames.message,
} as const satisfies ValidationRule;

export const isLabelValue = {
  rule: `self.matches('${labelText}')`,
  message: valuesAreLabels.message,
} as const satisfies ValidationRule;

export const stringMap = (description: string, maxProperties: number) =>
  ({
    type: 'object',
    description,
    maxProperties,
    additionalProperties: { type: 'string', maxLength: 16_384, description: 'The value.' },
  }) as const satisfies MapSchema;

export const labelMap = (description: string) =>
  ({
    type: 'object',
    description,
    maxProperties: 32,
    additionalProperties: { type: 'string', maxLength: 63, description: 'The value.' },
  }) as const satisfies MapSchema;

const labelKey = {
  type: 'string',
  description: 'A label key.',
  minLength: 1,
  maxLength: 317,
} as const satisfies StringSchema;

const matchExpressions = {
  type: 'array',
  description: 'All of them must hold.',
  maxItems: 16,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One requirement.',
    required: ['key', 'operator'],
    properties: {
      key: labelKey,
      operator: {
        type: 'string',
        enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
        description: 'How the label relates to the values.',
      },
      values: {
        type: 'array',
        description: 'At least one for In and NotIn, none for Exists and DoesNotExist.',
        maxItems: 64,
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string', maxLength: 63, description: 'A value.' },
      },
    },
    'x-kubernetes-validations': [
      {
        rule: "self.operator in ['In', 'NotIn'] == (has(self.values) && size(self.values) > 0)",
        message: 'In and NotIn need values, Exists and DoesNotExist have none',
      },
    ],
  },
} as const satisfies ArraySchema;

/** A LabelSelector. Empty: everything. Source: kubernetes.io "Labels and Selectors". */
export const labelSelector = <const Rules extends readonly ValidationRule[]>(
  description: string,
  rules: Rules,
) =>
  ({
    type: 'object',
    description,
    properties: { matchLabels: labelMap('Labels with these values.'), matchExpressions },
    'x-kubernetes-validations': rules,
  }) as const satisfies ObjectSchema;

/** `metav1.Condition`, so that `kubectl wait --for=condition=…` works. */
export const conditions = {
  type: 'array',
  description: 'What is so, and since when.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    description: 'One aspect.',
    required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    properties: {
      type: { type: 'string', description: 'Which aspect, in CamelCase.', minLength: 1, maxLength: 316 },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it is so.' },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        minimum: 0,
        description: 'The generation of the spec that this is about.',
      },
      lastTransitionTime: {
        type: 'string',
        format: 'date-time',
        description: 'When the status changed last.',
      },
      reason: { type: 'string', description: 'Why, one word in CamelCase.', minLength: 1, maxLength: 1_024 },
      message: { type: 'string', description: 'Why, for people.', maxLength: 32_768 },
    },
  },
} as const satisfies ArraySchema;

/** The generation of the spec that the status is about. */
export const observedGeneration = {
  type: 'integer',
  format: 'int64',
  minimum: 0,
  description: 'The generation of the spec that the status is about.',
} as const;

export const count = (description: string) =>
  ({ type: 'integer', format: 'int32', minimum: 0, description }) as const;

export const nodeName = {
  type: 'string',
  description: 'The name of a Node.',
  minLength: 1,
  maxLength: 253,
} as const satisfies StringSchema;

export const unitName = {
  type: 'string',
  description: 'The name of an EdgeUnit.',
  minLength: 1,
  maxLength: maxNameLength,
} as const satisfies StringSchema;

/** Cron and time zone are checked by their reader; here only their form. */
export const cron = {
  type: 'string',
  description: 'When, in five fields: minute, hour, day of the month, month, day of the week.',
  minLength: 9,
  maxLength: 120,
  'x-kubernetes-validations': [
    {
      rule: String.raw`self.matches('^[0-9A-Za-z*/,#L?-]+( [0-9A-Za-z*/,#L?-]+){4}$')`,
      message: 'must have five fields, such as 30 2 * * MON-FRI',
    },
  ],
} as const satisfies StringSchema;

export const timeZone = {
  type: 'string',
  description: 'Of the IANA database, such as Europe/Berlin.',
  default: 'UTC',
  minLength: 1,
  maxLength: 64,
  'x-kubernetes-validations': [
    {
      rule: "self.matches('^[A-Za-z]+([/_+-][A-Za-z0-9_+-]+)*$')",
      message: 'must be the name of a time zone, such as Europe/Berlin',
    },
  ],
} as const satisfies StringSchema;
