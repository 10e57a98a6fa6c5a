import type { Carrier } from '@selvedge/tunnel';
import type { CarrierMemory } from '@selvedge/tunnel/agent';
import type { RuntimeKind, RuntimeRepository } from '../store/index.ts';

const carriers: RuntimeKind<Carrier> = { name: 'tunnel-carrier' };

/** In the store: behind a proxy that lets nothing but WebSockets through, a restart tries them first. */
export function createCarrierMemory(documents: Pick<RuntimeRepository, 'get' | 'put'>): CarrierMemory {
  return {
    get: (server) => documents.get(carriers, server),
    set: (key, document) => documents.put(carriers, { key, document }, { durable: false }),
  };
}
