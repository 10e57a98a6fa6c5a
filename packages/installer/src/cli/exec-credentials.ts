import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Clock, SelvedgeError, systemCode } from '@selvedge/kit';
import type { CredentialSource, Credentials, ExecPlugin } from '@selvedge/kube';

export interface ExecCredentialsOptions {
  readonly plugin: ExecPlugin;
  /** PEM of whom to trust; the plugin does not say. */
  readonly certificateAuthority: string | undefined;
  /** What the program has beside its own variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Credentials are made anew so long before they end. */
const marginMs = 60_000;
const timeoutMs = 60_000;
const run = promisify(execFile);

interface Made {
  readonly credentials: Credentials;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What is used of an ExecCredential. Source: `client.authentication.k8s.io/v1`. */
interface Status {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

function failed({ command, installHint }: ExecPlugin, cause: unknown): SelvedgeError {
  const isMissing = systemCode(cause) === 'ENOENT';
  return new SelvedgeError(
    `the credential plugin of the kubeconfig, ${command}, ${isMissing ? 'was not found' : 'failed'}`,
    {
      code: 'Unauthenticated',
      cause,
      hint: installHint ?? 'try `kubectl get nodes` with the same kubeconfig',
    },
  );
}

function read(stdout: string, certificateAuthority: string | undefined): Made {
  const { status = {} } = JSON.parse(stdout) as { readonly status?: Status };
  const { token: bearerToken, clientCertificateData: certificate, clientKeyData: privateKey } = status;
  const isPair = certificate !== undefined && privateKey !== undefined;
  if (bearerToken === undefined && !isPair)
    throw new Error('the plugin printed neither a token nor a client certificate');
  const clientCertificate = isPair ? { certificate, privateKey } : undefined;
  const end = status.expirationTimestamp;
  const expiresAt = end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end);
  return { credentials: { certificateAuthority, bearerToken, clientCertificate }, expiresAt };
}

/**
 * Credentials that a program makes, as hosted clusters have it; made anew shortly before they end. The program cannot ask
 * anybody. Rejects with `Unauthenticated`. Source: kubernetes.io "client-go credential plugins".
 */
export function execCredentials(
  options: ExecCredentialsOptions,
  { clock }: { readonly clock: Pick<Clock, 'now'> },
): CredentialSource {
  const { plugin, env, certificateAuthority } = options;
  const info = { apiVersion: plugin.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const variables = { ...env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  let making: Promise<Made> | undefined;
  const make = async (): Promise<Made> => {
    try {
      const { stdout } = await run(plugin.command, [...plugin.args], { env: variables, timeout: timeoutMs });
      return read(stdout, certificateAuthority);
    } catch (cause) {
      making = undefined;
      throw failed(plugin, cause);
    }
  };
  const newest = async (): Promise<Made> => {
    const current = making;
    if (current !== undefined && (await current).expiresAt - marginMs >= clock.now()) return current;
    // Who waited for the same one may have been faster.
    if (making === current) making = make();
    return making ?? make();
  };
  return async () => (await newest()).credentials;
}
