import 'reflect-metadata';
import { isIP } from 'node:net';
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { SelvedgeError } from '@selvedge/kit';

/** What a certificate request asks to be called. */
export interface RequestedNames {
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  /** Attributes of the subject other than these two. */
  readonly otherAttributes: readonly string[];
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  /** Kinds of alternative names other than these two: `email`, `url`, … */
  readonly otherNames: readonly string[];
}

function alternativeNames(
  request: Pkcs10CertificateRequest,
): Pick<RequestedNames, 'dnsNames' | 'addresses' | 'otherNames'> {
  const extensions = request.extensions.filter((each) => each instanceof SubjectAlternativeNameExtension);
  const names = extensions.flatMap((each) => each.names.items);
  const valuesOf = (type: string): string[] =>
    names.filter((each) => each.type === type).map(({ value }) => value);
  const addresses = valuesOf('ip');
  const others = names.filter(({ type }) => type !== 'dns' && type !== 'ip').map(({ type }) => type);
  return {
    dnsNames: valuesOf('dns'),
    addresses: addresses.filter((each) => isIP(each) !== 0),
    otherNames: [...others, ...addresses.filter((each) => isIP(each) === 0)],
  };
}

/** Reads a PEM PKCS #10 request. Throws `Invalid`. Its signature is the API server's to check, which it does. */
export function parseRequest(pem: string): RequestedNames {
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(pem);
  } catch (cause) {
    throw new SelvedgeError('it is no PKCS #10 request', { code: 'Invalid', cause });
  }
  const { subjectName } = request;
  const attributes = subjectName.toJSON().flatMap((each) => Object.entries(each));
  const valuesOf = (name: string): string[] =>
    attributes.filter(([key]) => key === name).flatMap(([, values]) => values);
  return {
    commonNames: valuesOf('CN'),
    organizations: valuesOf('O'),
    otherAttributes: attributes.map(([key]) => key).filter((key) => key !== 'CN' && key !== 'O'),
    ...alternativeNames(request),
  };
}
