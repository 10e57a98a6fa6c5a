import { labelMap, labelName, stringMap } from '../common.ts';
import type { AnySchema, ArraySchema, ObjectSchema, StringSchema } from '../schema.ts';

const any = (description: string) =>
  ({
    type: 'object',
    description,
    'x-kubernetes-preserve-unknown-fields': true,
  }) as const satisfies AnySchema;

const metadata = {
  type: 'object',
  description: 'What each clone has beside what Selvedge sets.',
  properties: { labels: labelMap('Labels.'), annotations: stringMap('Annotations.', 32) },
} as const satisfies ObjectSchema;

export const templateSchema = {
  type: 'object',
  description:
    'The workload of which each unit gets a clone, pinned to the nodes of the unit. Texts may hold {{unit.name}} and {{unit.labels.KEY}}.',
  required: ['kind', 'spec'],
  properties: {
    kind: {
      type: 'string',
      enum: ['Deployment', 'StatefulSet', 'DaemonSet'],
      description: 'What it is, of apps/v1. It cannot be changed later.',
    },
    metadata,
    spec: any(
      'As the spec of that kind. The selector may be left out: clones are told apart by labels of their own.',
    ),
  },
  'x-kubernetes-validations': [
    {
      rule: 'self.kind == oldSelf.kind',
      message: 'the kind of a UnitApp cannot be changed: delete it and make another',
    },
  ],
} as const satisfies ObjectSchema;

export const serviceSchema = {
  type: 'object',
  description: 'A Service for the pods. Its selector is that of the clone.',
  required: ['spec'],
  properties: {
    metadata,
    shared: {
      type: 'boolean',
      default: false,
      description:
        "false: one for each unit, with the clone's name. true: one with the UnitApp's name for the pods of all units, whose traffic stays in the unit of the client: in each unit the short name is the unit's own.",
    },
    spec: any('As the spec of a Service, without selector.'),
  },
} as const satisfies ObjectSchema;

const childName = {
  type: 'string',
  description: 'By which the template refers to it; the object in a unit is named for the unit too.',
  minLength: 1,
  maxLength: 52,
  'x-kubernetes-validations': [
    { rule: `self.matches('${labelName}')`, message: 'must be a lower-case RFC 1123 label name' },
  ],
} as const satisfies StringSchema;

export const configMapsSchema = {
  type: 'array',
  description:
    'ConfigMaps for each unit. Where the template names one of them, the clone names that of its unit.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    description: 'One of them.',
    required: ['name'],
    properties: {
      name: childName,
      metadata,
      data: stringMap('Texts, in which {{unit.name}} and {{unit.labels.KEY}} are replaced.', 128),
      binaryData: stringMap('Bytes in base64, which stay as they are.', 128),
    },
  },
} as const satisfies ArraySchema;

export const secretsSchema = {
  type: 'array',
  description:
    'Secrets for each unit. Who may read the UnitApp may read them: what must be kept from him belongs in a Secret of its own.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    description: 'One of them.',
    required: ['name'],
    properties: {
      name: childName,
      metadata,
      type: { type: 'string', default: 'Opaque', maxLength: 253, description: 'Of the Secret.' },
      stringData: stringMap('Texts, in which {{unit.name}} and {{unit.labels.KEY}} are replaced.', 128),
      data: stringMap('Bytes in base64, which stay as they are.', 128),
    },
  },
} as const satisfies ArraySchema;
