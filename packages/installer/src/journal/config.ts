import { parse } from 'yaml';
import { places } from '../places.ts';
import type { RunState } from './records.ts';

/** What a journal says of edge-lite's config. */
export interface JournalledConfig {
  readonly nodeName: string;
  readonly server: { readonly urls: readonly string[]; readonly caHash: string };
  /** Without a port it is the usual one. */
  readonly modules?: { readonly hub?: { readonly port?: number } };
}

/** The config that a run writes; undefined if it writes none. */
export function configIn(state: RunState): JournalledConfig | undefined {
  if (state.kind === 'none') return undefined;
  const contents = state.steps.flatMap(({ step }) =>
    step.kind === 'file' && step.path === places.config ? [step.content] : [],
  );
  // It is what we rendered.
  return contents[0] === undefined ? undefined : (parse(contents[0]) as JournalledConfig);
}
