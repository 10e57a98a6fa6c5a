import { X509Certificate } from 'node:crypto';
import { der, tags } from './der.ts';
import { extensionIds } from './extensions.ts';
import { type DerValue, identifierOf, notDer, partsOf, readDer } from './read-der.ts';

/** What the certificates of an authority say of it. */
export interface IssuerNames {
  /** DER of its distinguished name. */
  readonly name: Buffer;
  readonly keyId: Buffer | undefined;
}

function keyIdIn(extensions: readonly DerValue[]): Buffer | undefined {
  const found = extensions.find(
    ({ values: [id] }) => id !== undefined && identifierOf(id) === extensionIds.subjectKeyId,
  );
  const octets = found?.values.at(-1);
  return octets === undefined ? undefined : readDer(octets.content).content;
}

/**
 * As an authority's own certificate has them, to the byte: whoever verifies compares bytes, and others make authorities,
 * too. Throws what node:crypto throws for what is no certificate.
 */
export function issuerNames(certificate: string): IssuerNames {
  const [content] = partsOf(readDer(new X509Certificate(certificate).raw), tags.sequence);
  const fields = content?.values.filter(({ tag }) => tag !== tags.context0) ?? [];
  // Serial number, algorithm, issuer, validity.
  const [, , , , subject] = fields;
  if (subject === undefined) throw notDer('certificate');
  const extensions = fields.find(({ tag }) => tag === tags.context3)?.values[0]?.values ?? [];
  return { name: der(subject.tag, subject.content), keyId: keyIdIn(extensions) };
}
