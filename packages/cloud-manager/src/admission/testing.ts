import type { RequestedNames } from '../csr/index.ts';

/** What a certificate request asks for; nothing but what is given. */
export const requestedNames = (names: Partial<RequestedNames>): RequestedNames => ({
  commonNames: [],
  organizations: [],
  otherAttributes: [],
  dnsNames: [],
  addresses: [],
  otherNames: [],
  ...names,
});
