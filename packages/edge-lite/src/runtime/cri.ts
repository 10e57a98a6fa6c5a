import {
  ImageServiceDefinition,
  RuntimeServiceDefinition,
  createClient,
  type Client,
  type GrpcTransport,
} from '@selvedge/containerd-grpc-types';

/** The two services of the CRI over one connection. */
export interface Cri {
  readonly runtime: Client<typeof RuntimeServiceDefinition>;
  readonly images: Client<typeof ImageServiceDefinition>;
}

export function createCri(transport: GrpcTransport): Cri {
  return {
    runtime: createClient(RuntimeServiceDefinition, transport),
    images: createClient(ImageServiceDefinition, transport),
  };
}
