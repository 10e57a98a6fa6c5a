import { isIP } from 'node:net';
import { SelvedgeError } from '@selvedge/kit';
import { type KeyPair, newSerialNumber } from '@selvedge/kit/x509';
import type { Host } from '../../host/index.ts';
import { newTunnelRequest } from './tunnel.ts';

export const clusterCa = {
  certificate: '/etc/kubernetes/pki/ca.crt',
  key: '/etc/kubernetes/pki/ca.key',
} as const;

/** `$1`, `$2`: certificate and key of the CA, `$3`: days, `$4`: serial number, `$5`: extensions. Nothing stays behind. */
const script = `
set -eu
umask 077
extensions=$(mktemp)
trap 'rm -f "$extensions"' EXIT
printf '%s' "$5" > "$extensions"
openssl x509 -req -sha256 -days "$3" -CA "$1" -CAkey "$2" -set_serial "$4" -extfile "$extensions"`;

/**
 * A certificate for these names, signed by the cluster's CA with the `openssl` of a control-plane machine: the key of the CA
 * does not leave it. Throws `Internal` with what openssl said.
 */
export async function signThere(
  host: Host,
  { names, days }: { readonly names: readonly string[]; readonly days: number },
  signal: AbortSignal,
): Promise<KeyPair> {
  const { request, key } = newTunnelRequest();
  const alternatives = names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`).join(', ');
  const extensions = `basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = ${alternatives}
`;
  const args = [clusterCa.certificate, clusterCa.key, String(days), `0x${newSerialNumber()}`, extensions];
  const result = await host.run({ argv: ['sh', '-c', script, 'sh', ...args], stdin: request }, signal);
  if (result.exitCode === 0) return { certificate: result.stdout.toString(), key };
  throw new SelvedgeError(`openssl on ${host.name}: ${result.stderr.toString().trim()}`, {
    code: 'Internal',
  });
}
