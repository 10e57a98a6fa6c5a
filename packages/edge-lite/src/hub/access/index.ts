export { createAccess, type AccessDeps, type AccessOptions } from './access.ts';
export { hashOfToken } from './bearer-token.ts';
export { nodeUser } from './callers.ts';
export { createOperatorGate, type OperatorGateDeps } from './operator-gate.ts';
export { keyOfUser } from './questions.ts';
