export { createAccess, type AccessDeps, type AccessOptions } from './access.ts';
export { hashOfToken } from './bearer-token.ts';
