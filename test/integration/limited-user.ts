import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { renderKubeconfig } from '../bed/pki/kubeconfig.ts';
import { waitFor } from '../bed/wait.ts';
import { connectWith } from './kube-world.ts';

/** Verbs on `plural.group` or `plural.group/name`, in any namespace: `get secrets/my-tls`. */
export type RightText = `${string} ${string}`;

/** Somebody with these rights and no others. Closes with what was granted taken away. */
export interface LimitedUser extends AsyncDisposable {
  readonly client: KubeClient;
  /** A file. */
  readonly kubeconfig: string;
}

function ruleOf(right: RightText) {
  const [verbs = '', what = ''] = right.split(' ');
  const [full = '', name] = what.split('/');
  const [plural = '', ...group] = full.split('.');
  return {
    apiGroups: [group.join('.')],
    resources: [plural],
    verbs: verbs.split(','),
    ...(name === undefined ? {} : { resourceNames: [name] }),
  };
}

/** Whether the API server has heard of all of them: it goes by roles that it watches, a moment behind. */
async function hasRights(
  client: KubeClient,
  rights: readonly RightText[],
  signal: AbortSignal,
): Promise<boolean> {
  const all = rights.map(ruleOf).flatMap(({ apiGroups, verbs, ...rule }) =>
    verbs.map((verb) => ({
      group: apiGroups.join(''),
      resource: rule.resources.join(''),
      verb,
      ...(rule.resourceNames === undefined ? {} : { name: rule.resourceNames.join('') }),
    })),
  );
  const reviews = all.map((resourceAttributes) =>
    client.create(
      resources.selfSubjectAccessReviews,
      { metadata: {}, spec: { resourceAttributes } },
      { signal },
    ),
  );
  return (await Promise.all(reviews)).every(({ status }) => status?.allowed === true);
}

/** Resolves when the rights count. */
export async function limitedUser(
  { controlPlane, admin }: { readonly controlPlane: PrivateControlPlane; readonly admin: KubeClient },
  user: string,
  rights: readonly RightText[],
): Promise<LimitedUser> {
  const { signal } = new AbortController();
  await using stack = new AsyncDisposableStack();
  const name = `tests:${user}`;
  const role = { metadata: { name }, rules: rights.map(ruleOf) };
  await admin.create(resources.clusterRoles, role, { signal });
  stack.defer(() => admin.delete(resources.clusterRoles, { name }, { signal }));
  const apiGroup = 'rbac.authorization.k8s.io';
  const subjects = [{ kind: 'User', apiGroup, name: user }];
  const roleRef = { apiGroup, kind: 'ClusterRole', name };
  await admin.create(resources.clusterRoleBindings, { metadata: { name }, roleRef, subjects }, { signal });
  stack.defer(() => admin.delete(resources.clusterRoleBindings, { name }, { signal }));
  const credentials = await controlPlane.issue({ commonName: user, usages: ['client'] });
  const { certificate, key } = credentials;
  const server = `https://127.0.0.1:${controlPlane.port}`;
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-user-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  const text = renderKubeconfig({ server, ca: controlPlane.ca, cluster: 'private', user, credentials });
  await writeFile(kubeconfig, text, { mode: 0o600 });
  const client = connectWith(server, {
    certificateAuthority: controlPlane.ca,
    clientCertificate: { certificate, privateKey: key },
  });
  stack.defer(() => client.close());
  await waitFor({ what: `the rights of ${user}` }, systemClock, (inner) => hasRights(client, rights, inner));
  const kept = stack.move();
  return { client, kubeconfig, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
