import { SelvedgeError } from '@selvedge/kit';

/** What the proxy does to a connection. Zero: nothing. */
export interface ProxyFaults {
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** Mean of the random time after which a connection is reset. */
  readonly resetEveryMs: number;
}

/** The proxy's configuration file, read anew on SIGHUP. */
export interface ProxyOptions {
  /** Where connections are led to. */
  readonly target: string;
  readonly ports: readonly { readonly listen: number; readonly target: number }[];
  readonly faults: ProxyFaults;
}

/** The options in the text of the file. Throws `Invalid` if the bed did not write it. */
export function parseProxyOptions(text: string): ProxyOptions {
  const value = JSON.parse(text) as Partial<ProxyOptions> | null;
  if (typeof value?.target === 'string' && Array.isArray(value.ports) && typeof value.faults === 'object') {
    return value as ProxyOptions;
  }
  throw new SelvedgeError("the proxy's options are not whole", { code: 'Invalid' });
}
