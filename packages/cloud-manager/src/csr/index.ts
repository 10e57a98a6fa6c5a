export { createCsrApprover, createCsrMetrics } from './approver.ts';
export { parseRequest, type RequestedNames } from './request.ts';
export { createReserved } from './reserved.ts';
