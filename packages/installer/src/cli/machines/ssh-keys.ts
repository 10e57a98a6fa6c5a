import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, ifPresent } from '@selvedge/kit';
import ssh2 from 'ssh2';
import type { SshOptions } from '../../host/index.ts';
import type { MachineFlags } from '../flags/machines.ts';
import type { CliHost } from '../host.ts';
import type { Prompts } from '../prompts.ts';
import { readSecret } from './secrets.ts';

type Key = NonNullable<SshOptions['keys']>[number];

/** As ssh(1) tries them. */
const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** Undefined: it can be used as it is. */
function problemOf(text: Buffer, passphrase?: string): Error | undefined {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  return parsed instanceof Error ? parsed : undefined;
}

const isEncrypted = (problem: Error): boolean => /passphrase|encrypted/i.test(problem.message);

async function unlocked(
  text: Buffer,
  file: string,
  { flags, prompts }: { readonly flags: MachineFlags; readonly prompts: Prompts | undefined },
): Promise<Key> {
  const problem = problemOf(text);
  if (problem === undefined) return { text };
  if (!isEncrypted(problem))
    throw new SelvedgeError(`${file} is not a private key`, { code: 'Invalid', cause: problem });
  const what = `the passphrase of ${file}`;
  const source = { what, file: flags.sshKeyPassphraseFile, flag: '--ssh-key-passphrase-file' };
  const passphrase = await readSecret(source, prompts);
  const still = problemOf(text, passphrase);
  if (still === undefined) return { text, passphrase };
  throw new SelvedgeError(`${what} is wrong`, {
    code: 'Invalid',
    hint: 'try again, or load the key into an ssh-agent with ssh-add',
  });
}

/**
 * The private keys to be shown. Those that were named have to be there; the usual ones are taken where no agent and
 * nothing else is, and only if nobody has to be asked for them. Throws `Invalid`.
 */
export async function readKeys(
  flags: MachineFlags,
  host: CliHost,
  prompts: Prompts | undefined,
): Promise<readonly Key[]> {
  const { sshKey: named } = flags;
  if (named !== undefined) {
    const texts = named.map(async (file) => {
      const text = await readFile(file).catch((cause: unknown) => {
        throw new SelvedgeError(`cannot read the key ${file}`, { code: 'Invalid', cause });
      });
      return { file, text };
    });
    const keys: Key[] = [];
    for (const { file, text } of await Promise.all(texts))
      keys.push(await unlocked(text, file, { flags, prompts }));
    return keys;
  }
  const usual = usualKeys.map((name) => ifPresent(readFile(join(host.person.home, '.ssh', name))));
  const found = await Promise.all(usual);
  return found.flatMap((text) => (text === undefined || problemOf(text) !== undefined ? [] : [{ text }]));
}
