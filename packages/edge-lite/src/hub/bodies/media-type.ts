import { SelvedgeError } from '@selvedge/kit';

const formats = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/json-patch+json': 'json-patch',
  'application/merge-patch+json': 'merge-patch',
  'application/strategic-merge-patch+json': 'strategic-merge-patch',
  'application/apply-patch+yaml': 'apply',
} as const;

export type BodyFormat = (typeof formats)[keyof typeof formats];

const isKnown = (type: string): type is keyof typeof formats => Object.hasOwn(formats, type);

/** What a request's `content-type` means; absent: JSON. Throws `Unsupported`. */
export function bodyFormat(contentType: string | undefined): BodyFormat {
  const [type = ''] = (contentType ?? '').split(';');
  const name = type.trim().toLowerCase();
  if (name === '') return 'json';
  if (isKnown(name)) return formats[name];
  throw new SelvedgeError(`a body of type ${name} is not understood`, {
    code: 'Unsupported',
    hint: `known are ${Object.keys(formats).join(', ')}`,
  });
}
