import { isIP, isIPv6 } from 'node:net';
import { isIpRange } from '@selvedge/kit/net';
import { z } from 'zod';

/** Where to listen or to connect. IPv6 without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
/** RFC 1123. */
const subdomain = new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`);

export const text = (expected: string, accepts: (value: string) => boolean): z.ZodType<string, string> =>
  z.string(expected).refine(accepts, expected);
const pattern = (expected: string, regex: RegExp): z.ZodType<string, string> =>
  text(expected, (value) => regex.test(value));
export const wholeNumber = (min: number, max: number): z.ZodType<number, number> => {
  const expected = `a whole number from ${min} to ${max}`;
  return z.number(expected).int(expected).min(min, expected).max(max, expected);
};

export const name = pattern('a lower-case RFC 1123 name', subdomain);
export const file = pattern('an absolute path', /^\//);

function addressOf(value: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535) || (bracketed !== undefined && !isIPv6(bracketed))) return undefined;
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port };
}

const address = (
  expected: string,
  accepts: (host: string, port: number) => boolean,
): z.ZodType<Address, string> =>
  z.string(expected).transform((value, context) => {
    const found = addressOf(value);
    if (found !== undefined && accepts(found.host, found.port)) return found;
    context.issues.push({ code: 'custom', message: expected, input: value });
    return z.NEVER;
  });

/** `0.0.0.0:8443`, `[::]:8443`; port 0: any that is free. */
export const listenAddress = address(
  'an IP address and a port, such as 0.0.0.0:8443',
  (host) => isIP(host) !== 0,
);

/** `tunnel.example.com:443`. */
export const publicAddress = address(
  'a host name or IP address and a port, such as tunnel.example.com:443',
  (host, port) => port > 0 && (isIP(host) !== 0 || subdomain.test(host)),
);

/** `10.0.0.0/8`. */
export const ipRange = text('a network, such as 10.0.0.0/8', isIpRange);

/** A serving certificate with its chain, and its key; read again when they are replaced. */
export const pair = { certificateFile: file, keyFile: file };
