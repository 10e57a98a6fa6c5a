import { SelvedgeError } from '@selvedge/kit';
import type { Right, Unread } from './types.ts';

/** `get secrets/my-tls in selvedge-system`. */
export function nameOfRight({ verb, group, resource, name, namespace }: Right): string {
  const full = group === '' ? resource : `${resource}.${group}`;
  const one = name === undefined ? full : `${full}/${name}`;
  return `${verb} ${one}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

const names = (rights: readonly Right[]): string => rights.map(nameOfRight).join(', ');

/** What is the matter, for people. */
export const notAllowed = (rights: readonly Right[]): string => `you are not allowed to ${names(rights)}`;

/** What tells whether somebody has it by now. Source: kubectl auth can-i. */
function commandFor({ namespace, ...right }: Right): string {
  const where = namespace === undefined ? '--all-namespaces' : `--namespace ${namespace}`;
  return `kubectl auth can-i ${nameOfRight(right)} ${where}`;
}

/** What to do, for people: of one right, with the command that tells whether it was given. */
export function askFor(rights: readonly Right[]): string {
  const [one, ...more] = rights;
  const test = one === undefined || more.length > 0 ? 'kubectl auth can-i --list' : commandFor(one);
  return `have a cluster administrator give you the right to ${names(rights)} (test it with ${test}), or use another kubeconfig (--kubeconfig, --context)`;
}

/**
 * Throws `Forbidden` with `findings`, of all at once, where something cannot be done without what may not be read.
 * `what`: `show nodes`.
 */
export function refuseUnread(what: string, unread: readonly Unread[]): void {
  if (unread.length === 0) return;
  const byName = new Map(unread.map((one) => [nameOfRight(one.right), one]));
  const rights = Array.from(byName.values(), ({ right }) => right);
  const findings = Array.from(byName.values(), ({ why }) => why);
  throw new SelvedgeError(`cannot ${what}: ${notAllowed(rights)}`, {
    code: 'Forbidden',
    hint: askFor(rights),
    cause: new SelvedgeError(findings.join('; '), { code: 'Forbidden' }),
    details: { findings },
  });
}
