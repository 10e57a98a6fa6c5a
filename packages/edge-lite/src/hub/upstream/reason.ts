import { SelvedgeError, hasCode, messageOf, systemCode } from '@selvedge/kit';

const system: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  ENETDOWN: 'no route',
  EADDRNOTAVAIL: 'no route',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up',
};

/** OpenSSL's and Node's names for a certificate that is not what it should be. */
const untrusted =
  /^(ERR_TLS_CERT_.*|.*CERT.*|UNABLE_TO_.*|INVALID_CA|PATH_LENGTH_EXCEEDED|INVALID_PURPOSE|HOSTNAME_MISMATCH)$/;

/** From the outside to the innermost cause. */
function* chain(error: unknown): Generator<unknown, void, undefined> {
  for (let one = error, depth = 0; one !== undefined && depth < 8; depth += 1) {
    yield one;
    const [first]: unknown[] = one instanceof AggregateError ? one.errors : [];
    one = first ?? (one instanceof Error ? one.cause : undefined);
  }
}

function reasonOfOne(error: unknown): string | undefined {
  if (hasCode(error, 'DeadlineExceeded')) return 'no answer';
  if (error instanceof SelvedgeError) return 'proxyStatus' in error.details ? error.message : undefined;
  const code = systemCode(error) ?? '';
  if (untrusted.test(code)) return `its certificate is not trusted (${code})`;
  // Something else listens there: a captive portal, or a proxy that does not speak TLS.
  if (/^(ERR_SSL_|EPROTO)/.test(code)) return `it does not speak TLS (${code})`;
  return system[code];
}

/** Why a server could not be reached, in a few words for people and for the state: `refused`, `no route`, … */
export function reasonOf(error: unknown): string {
  let last = error;
  for (const one of chain(error)) {
    const reason = reasonOfOne(one);
    if (reason !== undefined) return reason;
    last = one;
  }
  return messageOf(last);
}

/** True when a server is there, but is not one of the cluster's. */
export const isUntrusted = (reason: string): boolean =>
  reason.includes('not trusted') || reason.includes('TLS');

/** The reasons of all servers, in their order: once if they agree, else with their names. */
export function reasonOfAll(servers: readonly string[], errors: readonly unknown[]): string {
  const reasons = errors.map(reasonOf);
  const [first = 'no server'] = reasons;
  if (reasons.every((reason) => reason === first)) return first;
  return reasons.map((reason, i) => `${servers[i] ?? 'server'}: ${reason}`).join(', ');
}
