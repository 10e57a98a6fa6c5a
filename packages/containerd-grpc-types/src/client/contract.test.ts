import { silentLogger, systemClock } from '@selvedge/kit';
import { grpcTransportContract } from '../../../../test/contract/grpc-transport.ts';
import { createGrpcJsTransport } from './grpc-js.ts';
import { createHttp2Transport } from './http2-transport.ts';

grpcTransportContract('grpc-js', (options) => createGrpcJsTransport(options, { clock: systemClock }));

grpcTransportContract('node:http2', (options) =>
  createHttp2Transport(options, { clock: systemClock, random: Math.random, log: silentLogger }),
);
