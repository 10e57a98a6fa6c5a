import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import { type BootstrapToken, newTokenHint, parseBootstrapToken } from '@selvedge/kube';

/** The token in the file that the config names. Throws `Unauthenticated`. */
export async function readToken(file: string | undefined): Promise<BootstrapToken> {
  if (file === undefined) {
    throw new SelvedgeError('this node has no valid certificate and the config names no server.tokenFile', {
      code: 'Unauthenticated',
      hint: newTokenHint,
    });
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError(`cannot read the bootstrap token ${file}`, {
      code: 'Unauthenticated',
      cause,
      hint: newTokenHint,
    });
  });
  return parseBootstrapToken(text);
}
