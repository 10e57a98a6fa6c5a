import type { HostPort } from '@selvedge/kit/net';
import type { Host } from '../host/index.ts';

/** `$1`: host, `$2`: port. By whatever the machine has that opens a connection. */
const script = `
export LC_ALL=C
if command -v bash > /dev/null; then timeout 5 bash -c 'exec 3<> "/dev/tcp/$0/$1"' "$1" "$2"
elif command -v nc > /dev/null; then timeout 5 nc -z "$1" "$2"
elif command -v curl > /dev/null; then
  timeout 5 curl --silent --show-error --output /dev/null --insecure "telnet://$1:$2" < /dev/null
else exit 77
fi`;

const cannotTell = 77;

/** What the machine says of an answer that is a no. Source: errno(3), ECONNREFUSED. */
const refusal = /connection refused/i;

/**
 * Whether a TCP connection can be made from a machine. `refused`: something answers there, and nobody listens; `not known`: the
 * machine has nothing that opens one.
 */
export async function canReach(
  host: Host,
  to: HostPort,
  signal: AbortSignal,
): Promise<'reached' | 'refused' | 'not reached' | 'not known'> {
  const argv = ['sh', '-c', script, 'sh', to.host, String(to.port)] as const;
  const { exitCode, stderr } = await host.run({ argv }, signal);
  if (exitCode === cannotTell) return 'not known';
  if (exitCode === 0) return 'reached';
  return refusal.test(stderr.toString()) ? 'refused' : 'not reached';
}
