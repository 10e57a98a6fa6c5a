/** What may be done: to resources, or to paths that are none. Source: `rbac.authorization.k8s.io/v1`. */
export type PolicyRule =
  | {
      readonly apiGroups: readonly string[];
      readonly resources: readonly string[];
      /** Default: all. */
      readonly resourceNames?: readonly string[];
      readonly verbs: readonly string[];
    }
  | { readonly nonResourceURLs: readonly string[]; readonly verbs: readonly string[] };

const group = 'rbac.authorization.k8s.io';
const apiVersion = `${group}/v1`;

/** A ClusterRole as it is applied. */
export type ClusterRole = {
  readonly apiVersion: string;
  readonly kind: 'ClusterRole';
  readonly metadata: { readonly name: string };
  readonly rules: readonly PolicyRule[];
};

/** A ClusterRoleBinding as it is applied. */
export type ClusterRoleBinding = {
  readonly apiVersion: string;
  readonly kind: 'ClusterRoleBinding';
  readonly metadata: { readonly name: string };
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly apiGroup: string; readonly kind: string; readonly name: string }[];
};

export function clusterRole(name: string, rules: readonly PolicyRule[]): ClusterRole {
  return { apiVersion, kind: 'ClusterRole', metadata: { name }, rules };
}

/** Gives the role of the same name to a group. */
export function bindingToGroup(name: string, to: string): ClusterRoleBinding {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: group, kind: 'Group', name: to }],
  };
}

/** What is installed for a program that acts as a service account. */
export interface AccountOptions {
  /** Of the roles and their bindings. */
  readonly name: string;
  readonly namespace: string;
  readonly account: string;
  readonly rules: readonly PolicyRule[];
  /** ClusterRoles of their own, by name: what can be taken away from the program and leaves the rest of it at work. */
  readonly otherRoles?: Readonly<Record<string, readonly PolicyRule[]>>;
  /** In its own namespace only. */
  readonly namespaceRules: readonly PolicyRule[];
  /** In namespaces that are there already. */
  readonly otherNamespaces?: Readonly<Record<string, readonly PolicyRule[]>>;
}

interface RoleOptions {
  readonly name: string;
  readonly namespace: string;
  readonly rules: readonly PolicyRule[];
  readonly subjects: readonly object[];
}

/** A Role and its binding. */
function roleIn({ name, namespace, rules, subjects }: RoleOptions): readonly object[] {
  const metadata = { name, namespace };
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef: { apiGroup: group, kind: 'Role', name }, subjects },
  ];
}

/** A ClusterRole and its binding. */
const roleEverywhere = ({ name, rules, subjects }: Omit<RoleOptions, 'namespace'>): readonly object[] => [
  clusterRole(name, rules),
  {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name },
    subjects,
  },
];

/** A namespace, a service account in it, its ClusterRoles and its Roles, all bound to it. In the order of applying. */
export function accountObjects({ name, namespace, account, ...options }: AccountOptions): readonly object[] {
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    ...Object.entries({ [name]: options.rules, ...options.otherRoles }).flatMap(([one, rules]) =>
      roleEverywhere({ name: one, rules, subjects }),
    ),
    ...Object.entries({ [namespace]: options.namespaceRules, ...options.otherNamespaces }).flatMap(
      ([where, rules]) => roleIn({ name, namespace: where, rules, subjects }),
    ),
  ];
}
