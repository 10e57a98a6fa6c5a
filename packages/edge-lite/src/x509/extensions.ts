import { isIP, isIPv6 } from 'node:net';
import { der, identifier, sequence, tag, unsigned } from './der.ts';

const yes = der(tag.boolean, Uint8Array.of(0xff));

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  const octets = der(tag.octetString, value);
  return critical ? sequence(identifier(id), yes, octets) : sequence(identifier(id), octets);
}

/** An authority whose certificates are no authorities themselves. */
const authority = extension('551d13', sequence(yes, unsigned(Uint8Array.of(0))), true);
/** The bits count from the left: digitalSignature 0, keyCertSign 5, cRLSign 6. Unused ones are trailing. */
const usage = (bits: number, unused: number): Buffer =>
  extension('551d0f', der(tag.bitString, Uint8Array.of(unused, bits)), true);
const serverAuth = extension('551d25', sequence(identifier('2b06010505070301')));

const subjectKeyId = (id: Uint8Array): Buffer => extension('551d0e', der(tag.octetString, id));
const authorityKeyId = (id: Uint8Array): Buffer => extension('551d23', sequence(der(0x80, id)));

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
  return extension('551d11', sequence(...general));
}

/** What a certificate authority's certificate says of itself. Source: RFC 5280 section 4.2. */
export const authorityExtensions = (keyId: Uint8Array): readonly Buffer[] => [
  authority,
  usage(0b1000_0110, 1),
  subjectKeyId(keyId),
];

/** What a server's certificate says. Source: RFC 5280 section 4.2. */
export const serverExtensions = (names: readonly string[], issuerKeyId: Uint8Array): readonly Buffer[] => [
  usage(0b1000_0000, 7),
  serverAuth,
  authorityKeyId(issuerKeyId),
  alternativeNames(names),
];
