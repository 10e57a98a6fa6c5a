export { connectionHeaders } from './connection-headers.ts';
