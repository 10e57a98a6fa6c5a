import { isIP, isIPv6 } from 'node:net';
import { der, identifier, sequence, tags, unsigned } from './der.ts';

/** What a certificate is good for, other than signing certificates. */
export type CertificateUsage = 'server' | 'client';

/** Source: RFC 5280 sections 4.2.1 and 4.2.1.12. */
export const extensionIds = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const usageIds: { readonly [K in CertificateUsage]: string } = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
};

const yes = der(tags.boolean, Uint8Array.of(0xff));

function extension(id: keyof typeof extensionIds, value: Uint8Array, critical = false): Buffer {
  const octets = der(tags.octetString, value);
  return sequence(identifier(extensionIds[id]), ...(critical ? [yes] : []), octets);
}

/** The bits count from the left: digitalSignature 0, keyCertSign 5, cRLSign 6. Unused ones are trailing. */
const keyUsage = (bits: number, unused: number): Buffer =>
  extension('keyUsage', der(tags.bitString, Uint8Array.of(unused, bits)), true);

const subjectKeyId = (id: Uint8Array): Buffer => extension('subjectKeyId', der(tags.octetString, id));
const authorityKeyId = (id: Uint8Array): Buffer => extension('authorityKeyId', sequence(der(0x80, id)));

const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));

/** The 16 bytes of an IPv6 address in any of its spellings. */
function ipv6Bytes(address: string): Buffer {
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const digits = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return Buffer.from(digits.join(''), 'hex');
}

const addressBytes = (address: string): Uint8Array =>
  isIPv6(address) ? ipv6Bytes(address) : Uint8Array.from(address.split('.'), Number);

/** DNS names and IP addresses, told apart by their form. */
export function alternativeNames(names: readonly string[]): Buffer {
  const general = names.map((name) =>
    isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name)),
  );
  return extension('alternativeNames', sequence(...general));
}

/** What an authority's certificate says of itself: what it signs are no authorities. Source: RFC 5280 section 4.2.1. */
export const authorityExtensions = (keyId: Uint8Array): readonly Buffer[] => [
  extension('basicConstraints', sequence(yes, unsigned(Uint8Array.of(0))), true),
  keyUsage(0b0000_0110, 1),
  subjectKeyId(keyId),
];

export interface LeafContent {
  /** DNS names and IP addresses; may be none. */
  readonly names: readonly string[];
  readonly usages: readonly CertificateUsage[];
  readonly keyId: Uint8Array;
  /** undefined: the authority's certificate does not say it. */
  readonly authorityKeyId: Uint8Array | undefined;
}

/** What a certificate says that signs no others. Source: RFC 5280 section 4.2.1. */
export const leafExtensions = (content: LeafContent): readonly Buffer[] => [
  extension('basicConstraints', sequence(), true),
  keyUsage(0b1000_0000, 7),
  extension('extendedKeyUsage', sequence(...content.usages.map((usage) => identifier(usageIds[usage])))),
  ...(content.authorityKeyId === undefined ? [] : [authorityKeyId(content.authorityKeyId)]),
  subjectKeyId(content.keyId),
  ...(content.names.length === 0 ? [] : [alternativeNames(content.names)]),
];
