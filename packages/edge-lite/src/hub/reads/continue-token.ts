import { createHash } from 'node:crypto';
import { badRequest, expired } from '../answers/index.ts';
import type { CoverageSpec, ObjectName } from '../replica/types.ts';

/** Where a list goes on. */
export interface Continuation {
  /** The state that the list shows. Undefined: the newest one, the list is inconsistent. */
  readonly version: bigint | undefined;
  readonly after: ObjectName;
}

interface Wire {
  readonly v: string;
  /** The state's version, decimal; empty: the newest. */
  readonly rv: string;
  readonly ns: string;
  readonly name: string;
  /** Of the question that it goes on with. */
  readonly q: string;
}

const format = 'hub.selvedge.io/v1';

/** Of the API server. Source: apiserver `pkg/storage/continue.go`. */
const upstreamFormat = 'meta.k8s.io/v1';

function hashOf({ resource, namespace, labelSelector, fieldSelector }: CoverageSpec): string {
  const text = JSON.stringify([resource, namespace, labelSelector, fieldSelector]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** `spec` has its selectors in canonical form. */
export function encodeContinue({ version, after }: Continuation, spec: CoverageSpec): string {
  const wire: Wire = {
    v: format,
    rv: version === undefined ? '' : String(version),
    ns: after.namespace,
    name: after.name,
    q: hashOf(spec),
  };
  return Buffer.from(JSON.stringify(wire)).toString('base64url');
}

function read(token: string): Partial<Wire> {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Whether the hub made it; other tokens are the API server's. */
export function isOwnContinue(token: string): boolean {
  return read(token).v === format;
}

/** A list that began elsewhere, or in another state, cannot go on here: pagers take it from its start. */
export function notToGoOn(): Error {
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter.',
  );
}

/** Throws 410 for a token of the API server; 400 for what is no token of the hub, or one of another question. */
export function decodeContinue(token: string, spec: CoverageSpec): Continuation {
  const { v, rv, ns, name, q } = read(token);
  if (v === upstreamFormat) throw notToGoOn();
  const whole = typeof ns === 'string' && typeof name === 'string' && typeof rv === 'string';
  if (v !== format || !whole || !/^\d{0,40}$/.test(rv)) {
    throw badRequest('invalid continue token: continue key is not valid');
  }
  if (q !== hashOf(spec)) throw badRequest('invalid continue token: it is one of another list');
  return { version: rv === '' ? undefined : BigInt(rv), after: { namespace: ns, name } };
}
