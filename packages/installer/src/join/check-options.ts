import { SelvedgeError } from '@selvedge/kit';
import { parseBootstrapToken } from '@selvedge/kube';
import { isNodeName } from '../node-name.ts';
import type { JoinOptions } from './types.ts';

const invalid = (message: string, hint: string): SelvedgeError =>
  new SelvedgeError(message, { code: 'Invalid', hint });

const printed = 'selvedge token create prints the complete command';

function checkServer(server: string): void {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === 'https:' && url.pathname === '/' && url.search === '' && url.username === '') return;
  throw invalid(`--server ${server} is not https://HOST:PORT`, printed);
}

/** The name of the Node. Throws `Invalid`. */
export function nodeNameOf({ nodeName: given }: Pick<JoinOptions, 'nodeName'>, hostname: string): string {
  const name = given ?? hostname.toLowerCase();
  if (isNodeName(name)) return name;
  throw invalid(
    `${name} is not a valid Node name`,
    'choose one with --node-name: a-z, 0-9, hyphens and dots',
  );
}

/** Throws `Invalid` for what can be told without looking anywhere. */
export function checkJoinOptions(options: JoinOptions): void {
  checkServer(options.server);
  if (!/^sha256:[0-9a-f]{64}$/.test(options.caHash)) {
    throw invalid('--ca-hash is not sha256: followed by 64 hexadecimal digits', printed);
  }
  parseBootstrapToken(options.token);
  if (options.nodeName !== undefined) nodeNameOf(options, '');
}
