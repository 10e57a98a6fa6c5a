import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { Pkcs10CertificateRequest, type SubjectAlternativeNameExtension } from '@peculiar/x509';
import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { createCsr } from './csr.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const names = fc.stringMatching(/^[a-z0-9:.-]{1,253}$/);

property.prop([names, names])(
  'another parser reads the subject and accepts the signature',
  async (name, group) => {
    const csr = new Pkcs10CertificateRequest(
      createCsr({ commonName: name, organization: group }, privateKey),
    );
    expect(csr.subjectName.getField('CN')).toEqual([name]);
    expect(csr.subjectName.getField('O')).toEqual([group]);
    expect(csr.attributes).toEqual([]);
    expect(await csr.verify()).toBe(true);
  },
);

const dnsName = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{1,9})?$/);

property.prop([fc.uniqueArray(dnsName, { minLength: 1 }), fc.uniqueArray(fc.ipV4())], { numRuns: 20 })(
  'another parser reads the names that are asked for',
  async (hosts, addresses) => {
    const subject = { commonName: 'n', organization: 'nodes' };
    const csr = new Pkcs10CertificateRequest(createCsr(subject, privateKey, [...hosts, ...addresses]));
    const extension = csr.getExtension('2.5.29.17') as SubjectAlternativeNameExtension;
    expect(extension.names.items.map(({ type, value }) => ({ type, value }))).toEqual([
      ...hosts.map((value) => ({ type: 'dns', value })),
      ...addresses.map((value) => ({ type: 'ip', value })),
    ]);
    expect(await csr.verify()).toBe(true);
  },
);
