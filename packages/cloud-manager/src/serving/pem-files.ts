import { SelvedgeError, type Listeners, type Service, createListeners } from '@selvedge/kit';
import type { ServingPair, ServingSource } from '@selvedge/kit/serve';
import { type Credentials, fileCredentials } from '@selvedge/kube';
import { type FollowFilesDeps, followFiles } from './follow-files.ts';

export interface PemFilesOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
}

/** PEM. */
export interface Pem {
  readonly certificate: string;
  readonly privateKey: string;
  readonly clientCa: string | undefined;
}

/** A serving certificate that people may want to know the end of. */
export interface ShownCertificate extends Pick<ServingSource, 'serving'> {
  /** Where it is: a file. */
  readonly source: string;
}

/** A serving certificate as it is in its files now. */
export interface PemFiles extends Service, ServingSource, ShownCertificate {
  /** The same object as long as nothing changed. Throws `Internal` before the start. */
  readonly current: Pem;
}

function pemOf({ clientCertificate, certificateAuthority }: Credentials, file: string): Pem {
  if (clientCertificate === undefined) {
    throw new SelvedgeError(`${file} holds no certificate`, { code: 'Invalid' });
  }
  return { ...clientCertificate, clientCa: certificateAuthority };
}

const pairOf = ({ certificate, privateKey: key }: Pem): ServingPair => ({ certificate, key });

/**
 * Reads the files at the start, which rejects when they cannot be used, and every minute: a replacement that cannot be
 * used, or of which only a part is there yet, leaves the old ones in use and is told to the log.
 */
export function createPemFiles(options: PemFilesOptions, deps: FollowFilesDeps): PemFiles {
  const { certificateFile, keyFile, clientCaFile } = options;
  const { clock, log } = deps;
  const read = fileCredentials(
    {
      certificate: { file: certificateFile },
      privateKey: { file: keyFile },
      certificateAuthority: clientCaFile === undefined ? undefined : { file: clientCaFile },
    },
    {
      clock,
      onUnusable: (error) =>
        log.error('certificate not replaced, the old one stays in use', { file: certificateFile, error }),
    },
  );
  const name = `certificate ${certificateFile}`;
  const listeners: Listeners<void> = createListeners(log);
  let held: Credentials | undefined;
  let current: Pem | undefined;
  const look = async (signal: AbortSignal): Promise<void> => {
    const found = await read(signal);
    if (found === held) return;
    current = pemOf(found, certificateFile);
    if (held !== undefined) {
      log.info('certificate replaced', { file: certificateFile });
      listeners.tell();
    }
    held = found;
  };
  const files = followFiles(name, look, deps);
  return {
    name,
    source: certificateFile,
    get current() {
      if (current !== undefined) return current;
      throw new SelvedgeError(`${name} has not been read`, { code: 'Internal' });
    },
    get serving() {
      return current === undefined ? undefined : pairOf(current);
    },
    onChange: (changed) => listeners.add(changed),
    async start(signal) {
      await files.start(signal).catch((cause: unknown) => {
        const message = `cannot use the certificate ${certificateFile}`;
        throw new SelvedgeError(message, { code: 'Invalid', cause });
      });
    },
    stop: () => files.stop(),
  };
}
