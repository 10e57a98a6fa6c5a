import { gatherFacts } from '../facts/index.ts';
import { type Argv, type Host, programFailed } from '../host/index.ts';
import { journalPlace } from '../journal/index.ts';
import { recognize } from '../layouts/index.ts';
import { defaultPorts, places } from '../places.ts';
import type { Collection } from './collection.ts';
import { dumpDefaults } from './types.ts';

/** What is printed, whatever the exit code: half a log is better than none. */
async function printed(host: Host, argv: Argv, signal: AbortSignal): Promise<string> {
  const maxOutputBytes = 4 * dumpDefaults.maxFileBytes;
  const result = await host.run({ argv, maxOutputBytes }, signal);
  if (result.stdout.length > 0 || result.exitCode === 0) return result.stdout.toString();
  throw programFailed({ what: argv[0], code: 'NotFound' }, host, result);
}

/** `$1`: the folder of keys, `$2`: what is asked for. The port is in the config, or the usual one. */
const askHub = `
port=$(sed -n 's/^ *port: *\\([0-9]*\\)$/\\1/p' ${places.config} | head -n 1)
exec curl --silent --show-error --max-time 10 --cacert "$1/hub-ca.crt" --cert "$1/client.pem" "https://127.0.0.1:\${port:-${defaultPorts.hub}}/selvedge/$2"`;

/** By file of the archive, what is run for it. */
const programs = (lines: number): Readonly<Record<string, Argv>> => ({
  'edge-lite.log': logOf(places.unit, lines),
  'containerd.log': logOf('containerd.service', lines),
  'hub-status.json': [places.executable, 'status', '--config', places.config],
  'hub-metrics.txt': ['sh', '-c', askHub, 'sh', places.pki, 'metrics'],
  'edge-lite.yaml': ['cat', places.config],
  'edge-lite-unit.txt': ['systemctl', 'status', '--no-pager', '--full', '--lines=0', places.unit],
  'journal.txt': ['cat', journalPlace().journal],
  'state-folder.txt': ['ls', '-lAR', places.state],
  'addresses.txt': ['ip', 'address'],
  'routes.txt': ['ip', 'route'],
});

function logOf(unit: string, lines: number): Argv {
  return ['journalctl', '--no-pager', '--output=short-iso', `--lines=${lines}`, `--unit=${unit}`];
}

/** What a machine knows: logs, hub, config, journal of the installer, facts. */
export async function addMachine(
  collection: Collection,
  { host, node, lines }: { readonly host: Host; readonly node: string; readonly lines: number },
  signal: AbortSignal,
): Promise<void> {
  const at = (file: string): string => `nodes/${node}/${file}`;
  let kubelet = 'kubelet.service';
  const facts = async (): Promise<unknown> => {
    const found = await gatherFacts(host, signal);
    const recognition = recognize(found);
    if (recognition.kind === 'known') kubelet = recognition.layout.kubelet.unit;
    return { ...found, recognition };
  };
  await collection.add(at('facts.json'), facts, signal);
  for (const [file, argv] of Object.entries(programs(lines))) {
    await collection.add(at(file), () => printed(host, argv, signal), signal);
  }
  await collection.add(at('kubelet.log'), () => printed(host, logOf(kubelet, lines), signal), signal);
}
