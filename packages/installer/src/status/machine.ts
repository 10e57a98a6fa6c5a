import { hasCode, messageOf } from '@selvedge/kit';
import { gatherFacts } from '../facts/index.ts';
import { createHostFiles } from '../files/index.ts';
import type { Host, Hosts, Machine } from '../host/index.ts';
import { describeRun, journalPlace, readJournal } from '../journal/index.ts';
import { recognize } from '../layouts/index.ts';
import { places } from '../places.ts';
import type { JournalStatus, MachineStatus } from './types.ts';

/** What only the machine knows. */
export interface MachineLook {
  readonly status: MachineStatus;
  /** Whether its kubelet talks to a hub; undefined: nobody knows. */
  readonly converted?: boolean | undefined;
  /** The version of the installed edge-lite. */
  readonly version?: string | undefined;
}

async function journalOf(host: Host, signal: AbortSignal): Promise<JournalStatus> {
  const content = await readJournal(journalPlace().journal, createHostFiles(host), signal);
  const what = describeRun(content.state);
  if (content.damagedLine === undefined) return { state: content.state.kind, what };
  return { state: 'damaged', what: `damaged at line ${content.damagedLine}; up to there: ${what}` };
}

async function look(host: Host, signal: AbortSignal): Promise<MachineLook> {
  const facts = await gatherFacts(host, signal);
  const found = recognize(facts);
  const known = found.kind === 'known' ? found.layout : undefined;
  return {
    status: {
      kind: 'seen',
      layout: known?.name,
      edgeLite: facts.units[places.unit]?.activeState,
      journal: await journalOf(host, signal),
    },
    converted: known?.converted,
    version: facts.selvedge.version,
  };
}

/** What only the machine knows. That it cannot be entered is part of the answer. */
export async function lookAtMachine(
  machine: Machine,
  { hosts, signal }: { readonly hosts: Hosts; readonly signal: AbortSignal },
): Promise<MachineLook> {
  try {
    await using host = await hosts.open(machine, signal);
    return await look(host, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'Invalid')) throw error;
    return { status: { kind: 'closed', why: messageOf(error) } };
  }
}
