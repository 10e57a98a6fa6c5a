import { SelvedgeError } from '@selvedge/kit';
import { parse } from 'yaml';
import type { RunState } from '../journal/index.ts';
import { places } from '../places.ts';
import type { JoinOptions } from './types.ts';

type Begun = Exclude<RunState, { kind: 'none' }>;

/** What a journal says of edge-lite's config. */
interface Config {
  readonly nodeName: string;
  readonly server: { readonly urls: readonly string[]; readonly caHash: string };
}

/** The config in the journal of a join. Throws `Corrupt` if there is none: it is not one. */
function configIn({ steps }: Begun): Config {
  for (const { step } of steps) {
    // It is what we rendered.
    if (step.kind === 'file' && step.path === places.config) return parse(step.content) as Config;
  }
  throw new SelvedgeError('the journal has no config of edge-lite', { code: 'Corrupt' });
}

export const nodeNameIn = (state: Begun): string => configIn(state).nodeName;

/** What a journal says otherwise than a person does now, for people: `as till-5`. Undefined: nothing. */
export function otherThan(state: Begun, { server, caHash, nodeName }: JoinOptions): string | undefined {
  const { nodeName: name, server: known } = configIn(state);
  if (nodeName !== undefined && nodeName !== name) return `as ${name}`;
  if (!known.urls.includes(server)) return `the cluster at ${known.urls.join(', ')}`;
  return known.caHash === caHash ? undefined : `a cluster with another CA, ${known.caHash}`;
}
