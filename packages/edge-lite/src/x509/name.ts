import { der, identifier, sequence, tag } from './der.ts';

const commonName = '550403';
const organization = '55040a';

const attribute = (type: string, value: string): Buffer =>
  der(tag.set, sequence(identifier(type), der(tag.utf8, Buffer.from(value))));

export interface Subject {
  readonly commonName: string;
  readonly organization: string;
}

/** A distinguished name of two parts, the organization first. */
export const distinguishedName = (subject: Subject): Buffer =>
  sequence(attribute(organization, subject.organization), attribute(commonName, subject.commonName));
