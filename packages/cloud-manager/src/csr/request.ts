import { SelvedgeError } from '@selvedge/kit';
import { plainHost } from '@selvedge/kit/net';
import { type DerValue, identifierOf, notDer, partsOf, readDer, tags } from '@selvedge/kit/x509';

/** What a certificate request asks to be called. */
export interface RequestedNames {
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  /** Attributes of the subject other than these two, as `2.5.4.7`. */
  readonly otherAttributes: readonly string[];
  readonly dnsNames: readonly string[];
  /** As the request has them: IPv4 as a part of IPv6 stays `::ffff:…`. */
  readonly addresses: readonly string[];
  /** Kinds of alternative names other than these two: `email`, `url`, … */
  readonly otherNames: readonly string[];
}

type AlternativeNames = Pick<RequestedNames, 'dnsNames' | 'addresses' | 'otherNames'>;

const commonName = '2.5.4.3';
const organization = '2.5.4.10';
const extensionRequest = '1.2.840.113549.1.9.14';
const subjectAltName = '2.5.29.17';

/** UTF8String, PrintableString, IA5String. */
const textTags: readonly number[] = [0x0c, 0x13, 0x16];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Tags of GeneralName. Source: RFC 5280 section 4.2.1.6. */
const nameTags = { email: 0x81, dns: 0x82, url: 0x86, ip: 0x87 } as const;
const otherKinds = new Map<number, string>([
  [nameTags.email, 'email'],
  [nameTags.url, 'url'],
]);

/** One block and nothing around it, in base64 of one spelling: other readers skip a block that they do not like. */
const pemPattern =
  /^-----BEGIN CERTIFICATE REQUEST-----\r?\n((?:[A-Za-z0-9+/]+={0,2}\r?\n)+)-----END CERTIFICATE REQUEST-----\s*$/;

/** A key and a signature of the largest kinds are half of it. */
const maxPemBytes = 128 * 1024;

function bytesOf(pem: string): Buffer {
  const text = (pem.length > maxPemBytes ? null : pemPattern.exec(pem))?.[1]?.replaceAll(/\r?\n/g, '');
  const bytes = Buffer.from(text ?? '', 'base64');
  if (text === undefined || bytes.toString('base64') !== text)
    throw new SelvedgeError('it is not one PEM block of a certificate request', { code: 'Invalid' });
  return bytes;
}

function textOf({ tag, content }: DerValue): string {
  if (!textTags.includes(tag)) throw notDer(`text of tag ${tag}`);
  try {
    return utf8.decode(content);
  } catch (cause) {
    throw new SelvedgeError('its subject is no UTF-8', { code: 'Invalid', cause });
  }
}

function subjectOf(subject: DerValue): Omit<RequestedNames, keyof AlternativeNames> {
  const attributes = partsOf(subject, tags.sequence)
    .flatMap((set) => partsOf(set, tags.set))
    .map((each) => {
      const [type, value, ...rest] = partsOf(each, tags.sequence);
      if (type === undefined || value === undefined || rest.length > 0) throw notDer('subject');
      return { type: identifierOf(type), value };
    });
  const textsOf = (wanted: string): string[] =>
    attributes.filter(({ type }) => type === wanted).map(({ value }) => textOf(value));
  return {
    commonNames: textsOf(commonName),
    organizations: textsOf(organization),
    otherAttributes: attributes
      .map(({ type }) => type)
      .filter((type) => type !== commonName && type !== organization),
  };
}

/** What a list of [identifier, …] holds for that one, which it has at most once; without the identifier. */
function only(list: readonly DerValue[], wanted: string): readonly DerValue[] | undefined {
  const found = list
    .map((each) => partsOf(each, tags.sequence))
    .filter(([type]) => type !== undefined && identifierOf(type) === wanted);
  if (found.length > 1) throw notDer(`${wanted} more than once`);
  return found[0]?.slice(1);
}

function dnsName({ content }: DerValue): string {
  if (content.some((byte) => byte > 0x7f)) throw notDer('DNS name');
  return content.toString('latin1');
}

function address({ content }: DerValue): string {
  if (content.length === 4) return content.join('.');
  if (content.length !== 16) throw notDer('address');
  const full = (content.toString('hex').match(/.{4}/g) ?? []).join(':');
  const plain = plainHost(full);
  return plain.includes(':') ? plain : `::ffff:${plain}`;
}

function alternativeNames(attributes: readonly DerValue[]): AlternativeNames {
  const [values, ...more] = only(attributes, extensionRequest) ?? [];
  if (values === undefined) return { dnsNames: [], addresses: [], otherNames: [] };
  const [extensions] = partsOf(values, tags.set, [tags.sequence]);
  if (extensions === undefined || more.length > 0) throw notDer('extension request');
  const extension = only(extensions.values, subjectAltName);
  const value = extension?.at(-1);
  if (value !== undefined && value.tag !== tags.octetString) throw notDer('alternative names');
  const names = value === undefined ? [] : partsOf(readDer(value.content), tags.sequence);
  const { dns, ip } = nameTags;
  return {
    dnsNames: names.filter(({ tag }) => tag === dns).map(dnsName),
    addresses: names.filter(({ tag }) => tag === ip).map(address),
    otherNames: names
      .filter(({ tag }) => tag !== dns && tag !== ip)
      .map(({ tag }) => otherKinds.get(tag) ?? `tag ${tag}`),
  };
}

/**
 * Reads a PEM PKCS #10 request (RFC 2986). Throws `Invalid`, also for what other readers might understand otherwise: who
 * signs it reads it anew, with a reader of its own. Its signature is the API server's to check, which it does.
 */
export function parseRequest(pem: string): RequestedNames {
  const [info] = partsOf(readDer(bytesOf(pem)), tags.sequence, [
    tags.sequence,
    tags.sequence,
    tags.bitString,
  ]);
  if (info === undefined) throw notDer('request');
  const shape = [tags.integer, tags.sequence, tags.sequence, tags.context0];
  const [, subject, , attributes] = partsOf(info, tags.sequence, shape);
  if (subject === undefined || attributes === undefined) throw notDer('request');
  return { ...subjectOf(subject), ...alternativeNames(attributes.values) };
}
