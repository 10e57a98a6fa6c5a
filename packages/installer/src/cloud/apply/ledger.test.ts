import { expect, test } from 'vitest';
import type { Inventory, InventoryEntry, InventoryStore } from '../inventory/index.ts';
import type { CloudPlan } from '../types.ts';
import { openLedger } from './ledger.ts';

const at = (name: string, address: string, phase: 'manager' | 'egress' = 'manager'): InventoryEntry => ({
  kind: 'machine',
  phase,
  name,
  addresses: [address],
});

test('a control plane that has another address by now has one entry for each phase, with that address', async () => {
  const entries = [at('cp-1', '10.60.0.1'), at('cp-3', '10.60.0.3'), at('cp-3', '10.60.0.3', 'egress')];
  const written: Inventory[] = [];
  const inventory: Inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries };
  const store: InventoryStore = {
    inventory,
    write: async (next) => void written.push(next),
    remove: () => Promise.resolve(),
  };
  const plan = { mode: 'unit', adopted: [], options: { tunnelServers: [] } } as unknown as CloudPlan;
  const cluster = { get: () => Promise.reject(new Error('nothing is open')) };
  const ledger = await openLedger(plan, store, {
    cluster,
    version: '0',
    signal: new AbortController().signal,
  });
  await ledger.note({ kind: 'machine', phase: 'manager', name: 'cp-3', addresses: ['10.60.0.9'] });
  await ledger.note({ kind: 'machine', phase: 'manager', name: 'cp-4', addresses: ['10.60.0.4'] });
  expect(written.at(-1)?.entries).toEqual([
    at('cp-1', '10.60.0.1'),
    at('cp-3', '10.60.0.9'),
    at('cp-3', '10.60.0.3', 'egress'),
    at('cp-4', '10.60.0.4'),
  ]);
});
