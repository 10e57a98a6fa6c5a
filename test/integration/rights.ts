import type { AuditEvent } from './hub-audit.ts';

/** One thing that a role allows. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `pods/status`. */
  readonly resource: string;
  /** Undefined: in all of them. */
  readonly namespace: string | undefined;
  /** Undefined: all. */
  readonly name: string | undefined;
}

interface RoleObject {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** `patch apps deployments/status in shop: web`. */
export const rightText = ({ verb, group, resource, namespace, name }: Right): string =>
  [
    verb,
    ...(group === '' ? [] : [group]),
    resource,
    ...(namespace === undefined ? [] : [`in ${namespace}`]),
    ...(name === undefined ? [] : [`named ${name}`]),
  ].join(' ');

/** Everything that the roles among these objects allow, one by one, each once. */
export function rightsOf(objects: readonly object[]): readonly Right[] {
  const rights = (objects as readonly RoleObject[]).flatMap(({ metadata, rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => ({ verb, group, resource, namespace: metadata.namespace, name })),
          ),
        ),
      ),
    ),
  );
  return Array.from(new Map(rights.map((right) => [rightText(right), right])).values());
}

/** To apply what is not there needs both rights. Source: Kubernetes, "Server-Side Apply". */
const verbsOf = ({ verb, responseStatus }: AuditEvent): readonly string[] =>
  verb === 'patch' && responseStatus?.code === 201 ? ['patch', 'create'] : [verb];

/** Whether the request was one for which there is this right. */
export function uses(event: AuditEvent, right: Right): boolean {
  const { objectRef } = event;
  if (objectRef === undefined) return false;
  const { apiGroup = '', resource, subresource, namespace, name } = objectRef;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  return (
    verbsOf(event).includes(right.verb) &&
    apiGroup === right.group &&
    full === right.resource &&
    (right.namespace === undefined || right.namespace === namespace) &&
    (right.name === undefined || right.name === name)
  );
}
