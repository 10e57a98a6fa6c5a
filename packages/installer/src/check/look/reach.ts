import { type HostPort, formatHostPort } from '@selvedge/kit/net';
import type { Host } from '../../host/index.ts';
import type { Reach } from '../facts.ts';

/** `$1`: host, `$2`: port. By whatever the machine has that opens a connection. */
const script = `
if command -v bash > /dev/null; then timeout 5 bash -c 'exec 3<> "/dev/tcp/$0/$1"' "$1" "$2"
elif command -v nc > /dev/null; then timeout 5 nc -z "$1" "$2"
elif command -v curl > /dev/null; then
  timeout 5 curl --silent --output /dev/null --insecure "telnet://$1:$2" < /dev/null
else exit 77
fi`;

const cannotTell = 77;

/** What a machine is to reach. */
export interface Goal {
  readonly to: HostPort;
  readonly what: Reach['what'];
}

/** Whether a TCP connection can be made from the machine. */
export async function reach(host: Host, { to, what }: Goal, signal: AbortSignal): Promise<Reach> {
  const argv = ['sh', '-c', script, 'sh', to.host, String(to.port)] as const;
  const { exitCode } = await host.run({ argv }, signal);
  const target = formatHostPort(to);
  if (exitCode === cannotTell) return { target, what, kind: 'not known' };
  return { target, what, kind: exitCode === 0 ? 'reached' : 'not reached' };
}
