export { formatHostPort as formatTarget, parseHostPort as parseTarget } from '@selvedge/kit/net';

const serviceName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Whether it can be the name of a service of a forward session. */
export const isServiceName = (text: string): boolean => serviceName.test(text);
