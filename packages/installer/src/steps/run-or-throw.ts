import { SelvedgeError } from '@selvedge/kit';
import type { Host, HostCommand } from '../host/index.ts';

/** What a program prints on stdout. Throws `Internal` with what it said if it fails. */
export async function runOrThrow(host: Host, command: HostCommand, signal: AbortSignal): Promise<string> {
  const { exitCode, stdout, stderr } = await host.run(command, signal);
  if (exitCode === 0) return stdout.toString();
  const said = stderr.toString().trim().slice(-1_000);
  const why = said === '' ? `exit code ${exitCode}` : said;
  throw new SelvedgeError(`${command.argv.join(' ')} on ${host.name}: ${why}`, { code: 'Internal' });
}
