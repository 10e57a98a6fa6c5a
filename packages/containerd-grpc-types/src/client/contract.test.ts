import { silentLogger } from '@selvedge/kit';
import { grpcTransportContract } from '../../../../test/contract/grpc-transport.ts';
import { createGrpcJsTransport } from './grpc-js.ts';
import { createHttp2Transport } from './http2-transport.ts';

grpcTransportContract('grpc-js', ({ clock, ...options }) => createGrpcJsTransport(options, { clock }));

grpcTransportContract('node:http2', ({ clock, ...options }) =>
  createHttp2Transport(options, { clock, random: Math.random, log: silentLogger }),
);
