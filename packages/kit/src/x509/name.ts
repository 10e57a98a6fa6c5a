import { der, identifier, sequence, tags } from './der.ts';

const commonName = '2.5.4.3';
const organization = '2.5.4.10';

const attribute = (type: string, value: string): Buffer =>
  der(tags.set, sequence(identifier(type), der(tags.utf8, Buffer.from(value))));

export interface Subject {
  readonly commonName: string;
  readonly organization?: string | undefined;
}

/** A distinguished name, the organization first. */
export const distinguishedName = (subject: Subject): Buffer =>
  sequence(
    ...(subject.organization === undefined ? [] : [attribute(organization, subject.organization)]),
    attribute(commonName, subject.commonName),
  );
