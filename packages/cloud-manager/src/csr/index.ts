export { createCsrApprover, createCsrMetrics } from './approver.ts';
export { parseRequest } from './request.ts';
export { createReserved } from './reserved.ts';
