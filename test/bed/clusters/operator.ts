import { createPublicKey } from 'node:crypto';
import type { BedContext } from '../context.ts';
import { readIfThere, writeAtomically } from '../state/files.ts';
import { authorizedKeyOf, createOperatorKey } from './operator-key.ts';
import { operatorFiles } from './record.ts';
import type { ClusterMachine } from './types.ts';

/** The operator's line of `authorized_keys`; the key is made once. */
export async function ensureOperatorKey(context: Pick<BedContext, 'folders'>): Promise<string> {
  const { keyFile } = operatorFiles(context);
  const pem = (await readIfThere(keyFile)) ?? createOperatorKey();
  await writeAtomically(keyFile, pem, 0o600);
  return authorizedKeyOf(createPublicKey(pem));
}

/** Writes down the key of each machine's SSH server, by its address and by its name. */
export async function writeKnownHosts(
  context: Pick<BedContext, 'folders'>,
  machines: readonly ClusterMachine[],
): Promise<void> {
  const lines = machines.map(async ({ name, address, machine }) => {
    const [type, key] = (await machine.sshHostKey()).split(' ');
    return `${address},${name} ${type} ${key}\n`;
  });
  await writeAtomically(operatorFiles(context).knownHostsFile, (await Promise.all(lines)).join(''));
}
