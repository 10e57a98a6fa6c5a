import { SelvedgeError } from '@selvedge/kit';
import type { Caller, UserInfo } from '../request.ts';

export interface CallersOptions {
  readonly nodeName: string;
  /** User names of certificate clients whose own credentials are in the config. */
  readonly clients: ReadonlySet<string>;
  /** Groups whose members may read while the cloud is away. */
  readonly operators: ReadonlySet<string>;
}

const nodePrefix = 'system:node:';
const nodesGroup = 'system:nodes';

/** The user name of a node's kubelet. Source: kubernetes.io "Using Node Authorization". */
export const nodeUser = (nodeName: string): string => `${nodePrefix}${nodeName}`;

function hintFor({ username }: UserInfo, nodeName: string): string {
  if (username.startsWith(nodePrefix))
    return `the kubelet here must use the certificate of ${nodePrefix}${nodeName}`;
  return `add {name: ${username}, kubeconfig: …} to modules.hub.clients, or one of its groups to modules.hub.operators`;
}

/** What the user of a verified client certificate is here; undefined: nobody. */
export function kindOfUser(user: UserInfo, options: CallersOptions): Caller['kind'] | undefined {
  const { username, groups } = user;
  if (username === nodeUser(options.nodeName) && groups.includes(nodesGroup)) return 'node';
  if (options.clients.has(username)) return 'configured';
  return groups.some((group) => options.operators.has(group)) ? 'operator' : undefined;
}

/** As whom the user of a verified client certificate is served. Throws `Forbidden` for one who is nobody here. */
export function callerOfUser(user: UserInfo, options: CallersOptions): Caller {
  const kind = kindOfUser(user, options);
  if (kind === 'node' || kind === 'operator') return { kind, user };
  if (kind === 'configured') return { kind, user, client: user.username };
  const { nodeName } = options;
  throw new SelvedgeError(`the hub of node ${nodeName} does not serve the certificate of ${user.username}`, {
    code: 'Forbidden',
    hint: hintFor(user, nodeName),
  });
}
