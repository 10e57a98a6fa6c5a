import { randomInt } from 'node:crypto';
import type { Clock } from '@selvedge/kit';
import { type Kubectl, applyManifests } from '../kubectl.ts';
import type { Manifest } from './objects.ts';

/** A bootstrap token: `abcdef.0123456789abcdef`. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

function letters(count: number): string {
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function newBootstrapToken(): BootstrapToken {
  return { id: letters(6), secret: letters(16) };
}

/** The Secret that makes the token valid. Source: Kubernetes, "Authenticating with Bootstrap Tokens". */
function tokenSecret(token: BootstrapToken, expiresAtMs: number): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${token.id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': token.id,
      'token-secret': token.secret,
      expiration: new Date(expiresAtMs).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
    },
  };
}

/** Makes a token with which nodes may join for `lifetimeMs`, default one day. */
export async function createBootstrapToken(
  kubectl: Kubectl,
  options: {
    readonly clock: Pick<Clock, 'now'>;
    readonly lifetimeMs?: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<BootstrapToken> {
  const token = newBootstrapToken();
  const expiresAtMs = options.clock.now() + (options.lifetimeMs ?? 24 * 3_600_000);
  await applyManifests(kubectl, [tokenSecret(token, expiresAtMs)], options.signal);
  return token;
}
