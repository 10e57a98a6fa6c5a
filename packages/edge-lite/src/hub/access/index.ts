export { createAccess, type AccessDeps, type AccessOptions } from './access.ts';
export { hashOfToken } from './bearer-token.ts';
export { createOperatorGate, type OperatorGateDeps } from './operator-gate.ts';
