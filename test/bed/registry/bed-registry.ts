import { join } from 'node:path';
import { ensureAssets } from '@selvedge/hack/setup';
import { cloudAddresses } from '../addresses.ts';
import type { BedContext } from '../context.ts';
import type { BedDescription } from '../description.ts';
import { type ImageName, ensureImages } from '../images/index.ts';
import { type Credentials, dockerConfig } from './credentials.ts';
import { pushImage } from './push.ts';
import { ensureRegistry, registryHost } from './registry.ts';

/** A registry in the bed's cloud. Nodes know its CA, not its password. */
export interface BedRegistry {
  /** `10.60.0.1:5000`: what references begin with. */
  readonly host: string;
  readonly credentials: Credentials;
  /** The `.dockerconfigjson` of a secret of type `kubernetes.io/dockerconfigjson`. */
  readonly dockerConfig: string;
  /** Pushes one of the testbed's images under a name with a tag (`shop/web:1`); resolves to the whole reference. */
  push(image: ImageName, name: string, signal?: AbortSignal): Promise<string>;
}

const credentials: Credentials = { user: 'puller', password: 'selvedge' };

/** Where the registry of a bed is, whether it runs or not. */
export function bedRegistryHost(bed: Pick<BedDescription, 'index'>): string {
  return registryHost({ address: cloudAddresses(bed.index).cloud });
}

/** Makes the bed's registry run, or keep running: it goes down with the bed. */
export async function openBedRegistry(
  context: BedContext,
  bed: Pick<BedDescription, 'index'>,
  signal?: AbortSignal,
): Promise<BedRegistry> {
  const { cloud: address } = cloudAddresses(bed.index);
  const assets = await ensureAssets({ binaries: ['docker-registry'], signal }, context.setup);
  const pki = await context.pki();
  const ca = pki.ca.keyPair.certificate;
  const options = {
    binary: assets['docker-registry'],
    folder: join(context.folders.root, 'registry'),
    address,
    tls: await pki.ensure('registry', { commonName: 'registry', usages: ['server'], addresses: [address] }),
    ca,
    credentials,
    daemon: { name: 'registry', namespace: context.names.cloud, mark: context.names.mark('cloud') },
  };
  await ensureRegistry(options, context, signal);
  const host = registryHost(options);
  return {
    host,
    credentials,
    dockerConfig: dockerConfig(host, credentials),
    async push(image, name, pushSignal) {
      const reference = `${host}/${name}`;
      const [archive] = await ensureImages({ names: [image], signal: pushSignal }, context.setup);
      if (archive !== undefined)
        await pushImage(archive.tar, { reference, ca, credentials, signal: pushSignal });
      return reference;
    },
  };
}
