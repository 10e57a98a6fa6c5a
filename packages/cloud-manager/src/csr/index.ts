export { createCsrApprover, createCsrMetrics } from './approver.ts';
export { parseRequest } from './request.ts';
