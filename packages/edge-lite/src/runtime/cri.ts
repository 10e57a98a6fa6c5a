import {
  ImageServiceDefinition,
  RuntimeServiceDefinition,
  TasksDefinition,
  createClient,
  type Client,
  type GrpcTransport,
} from '@selvedge/containerd-grpc-types';

/** The two services of the CRI, and what containerd offers beneath it, over one connection. */
export interface Cri {
  readonly runtime: Client<typeof RuntimeServiceDefinition>;
  readonly images: Client<typeof ImageServiceDefinition>;
  /** `Unsupported` by other runtimes. */
  readonly tasks: Client<typeof TasksDefinition>;
}

export function createCri(transport: GrpcTransport): Cri {
  return {
    runtime: createClient(RuntimeServiceDefinition, transport),
    images: createClient(ImageServiceDefinition, transport),
    tasks: createClient(TasksDefinition, transport),
  };
}
