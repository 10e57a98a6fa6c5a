import type { Config } from './config/index.ts';
import {
  type ClientAuthorities,
  type PemFiles,
  type FollowFilesDeps,
  type PemFilesOptions,
  createPemFiles,
  trusting,
} from './serving/index.ts';

/** Files of a listener at which nodes and other clients of the cluster show certificates. */
export type PemOfClients = (files: PemFilesOptions) => PemFiles;

/** Whose certificates they are: of the files' own authority, else of the tunnel's, else of the cluster's. */
export const createPemOfClients =
  (
    { tunnel }: Pick<Config, 'tunnel'>,
    deps: FollowFilesDeps & { readonly authorities: ClientAuthorities | undefined },
  ): PemOfClients =>
  ({ clientCaFile = tunnel.clientCaFile, ...files }) => {
    const pem = createPemFiles({ ...files, clientCaFile }, deps);
    const { authorities } = deps;
    return clientCaFile === undefined && authorities !== undefined ? trusting(pem, authorities) : pem;
  };
