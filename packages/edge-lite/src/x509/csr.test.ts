import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
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
