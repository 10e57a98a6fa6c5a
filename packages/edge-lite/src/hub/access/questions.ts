import { createHash } from 'node:crypto';
import { authenticatedGroup } from '@selvedge/kube';
import type { UserInfo } from '../request.ts';
import type { Attributes } from './types.ts';
import { extraKeys } from './user.ts';

/** Whether a user may do something. */
export interface Question {
  readonly user: UserInfo;
  readonly attributes: Attributes;
}

function attributeParts(of: Attributes): readonly string[] {
  if (of.kind === 'nonResource') return [of.kind, of.verb, of.path];
  const { kind, verb, group, version, resource, subresource, namespace, name } = of;
  return [
    kind,
    verb,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    of.labelSelector,
    of.fieldSelector,
  ];
}

/**
 * Equal for the same user. The credential's own name is left out: an account's next token, an hour later, is the same
 * user to every authorizer but one that lists token ids.
 */
export function keyOfUser(user: UserInfo): string {
  const extra = Object.entries(user.extra ?? {})
    .filter(([name]) => name !== extraKeys.credentialId)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([user.username, user.uid ?? '', user.groups.toSorted(), extra]);
}

/** Equal for equal questions. */
export function keyOfQuestion({ user, attributes }: Question): string {
  return createHash('sha256')
    .update(`[${keyOfUser(user)},${JSON.stringify(attributeParts(attributes))}]`)
    .digest('hex');
}

const wholeVerbs: ReadonlySet<string> = new Set(['list', 'watch']);

/** Of the question about `get` of every object of a namespace: that about one of this name. Undefined for others. */
export function instanceOf({ user, attributes }: Question, name: string): Question | undefined {
  if (attributes.kind === 'nonResource' || attributes.verb !== 'get' || attributes.name !== '')
    return undefined;
  return { user, attributes: { ...attributes, name } };
}

/**
 * The question whose yes answers this one as well.
 *
 * Who may list (watch) all objects of a resource learns nothing more by some of them. That holds for every authorizer,
 * because it is about what is seen, not about how rules match. The Node authorizer only ever says yes to the narrow
 * question, which is then asked itself.
 *
 * Who may get objects of a namespace without a name being given may get each of them: an empty name means all. A yes to
 * `get` of one object says nothing of another. Source: `authorization.k8s.io/v1` ResourceAttributes, `name`.
 */
export function widerQuestion({ user, attributes }: Question): Question | undefined {
  if (attributes.kind === 'nonResource') return undefined;
  const { verb, namespace, name, labelSelector, fieldSelector } = attributes;
  const whole = { ...attributes, name: '', labelSelector: '', fieldSelector: '' };
  if (verb === 'get') return name === '' ? undefined : { user, attributes: whole };
  if (!wholeVerbs.has(verb) || `${namespace}${name}${labelSelector}${fieldSelector}` === '') return undefined;
  return { user, attributes: { ...whole, namespace: '' } };
}

const readVerbs = ['get', 'list', 'watch'];

/** The questions whose answers a rule gives and takes together with this one's: the other ways to read the same. */
export function kindredQuestions(question: Question): readonly Question[] {
  const { user, attributes } = question;
  if (attributes.kind === 'nonResource' || !readVerbs.includes(attributes.verb)) return [];
  return readVerbs.flatMap((verb) => {
    const kindred = { user, attributes: { ...attributes, verb } };
    return [kindred, widerQuestion(kindred) ?? []].flat();
  });
}

const discovery = /^\/(?:(?:livez|readyz|healthz)|version\/?|(?:openapi|apis?)(?:\/.*)?)$/;

/** What `system:discovery` gives to everybody who is authenticated. Source: Kubernetes, "Using RBAC Authorization". */
export function isDiscovery({ user, attributes }: Question): boolean {
  if (attributes.kind === 'resource' || attributes.verb !== 'get') return false;
  return user.groups.includes(authenticatedGroup) && discovery.test(attributes.path);
}
