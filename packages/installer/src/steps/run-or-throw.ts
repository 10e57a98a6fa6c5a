import { type Host, type HostCommand, programFailed } from '../host/index.ts';

/** What a program prints on stdout. Throws `Internal` with what it said if it fails. */
export async function runOrThrow(host: Host, command: HostCommand, signal: AbortSignal): Promise<string> {
  const result = await host.run(command, signal);
  if (result.exitCode === 0) return result.stdout.toString();
  throw programFailed({ what: command.argv.join(' ') }, host, result);
}
