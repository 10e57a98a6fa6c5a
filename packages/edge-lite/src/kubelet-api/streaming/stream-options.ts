import { SelvedgeError } from '@selvedge/kit';
import type { StreamSelection } from '../../runtime/index.ts';

const invalid = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'Invalid' });

/** Throws `Invalid` if no stream is wanted. Pure. Source: k8s.io/cri-streaming `remotecommand.NewOptions`. */
export function streamsOf(query: URLSearchParams): StreamSelection {
  const wants = (name: string): boolean => query.get(name) === '1';
  const tty = wants('tty');
  // A terminal has one output.
  const stderr = wants('error') && !tty;
  const streams = { stdin: wants('input'), stdout: wants('output'), stderr, tty };
  if (streams.stdin || streams.stdout || streams.stderr) return streams;
  throw invalid('you must specify at least 1 of stdin, stdout, stderr');
}

/** The words of the command. Throws `Invalid` if there are none. Pure. */
export function commandOf(query: URLSearchParams): readonly string[] {
  const command = query.getAll('command');
  if (command.length > 0) return command;
  throw invalid('you must specify at least one command for the container');
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalid(`unable to parse ${JSON.stringify(text)} as a port`);
}

/** More are no use to anybody. */
const maxPorts = 64;

/**
 * The ports of a WebSocket client; one that speaks SPDY names them later. Throws `Invalid`. Pure. Source: k8s.io/cri-streaming
 * `portforward.NewV4Options`.
 */
export function portsOf(query: URLSearchParams, upgrade: string | undefined): readonly number[] {
  if (upgrade?.toLowerCase() !== 'websocket') return [];
  const texts = query.getAll('port').flatMap((one) => one.split(','));
  if (texts.length === 0) throw invalid('query parameter "port" is required');
  if (texts.length > maxPorts) throw invalid(`at most ${maxPorts} ports can be forwarded at once`);
  return texts.map(portOf);
}
