import { hasCode, withDeadline } from '@selvedge/kit';
import { badRequest } from '../answers/index.ts';
import type { CoverageHold } from '../coverages/types.ts';
import type { CoverageSpec, ResourceReader } from '../replica/types.ts';
import { heldResource, type ResourceRequest } from '../request-info/index.ts';
import { compileSelection, type Selection, type Selector } from '../selection/index.ts';
import { autonomyNow, notAvailable } from './origin.ts';
import type { Read, ReadsParts, ReadsOptions } from './types.ts';

/** What a list or watch selects, and where it is read. */
export interface Joined extends Disposable {
  readonly hold: CoverageHold;
  readonly reader: ResourceReader;
  readonly selector: Selector;
}

/** From before it, not all that is selected was held here: of what went then, no history tells. */
export function completeSince({ hold }: Joined, { replica }: Pick<ReadsParts, 'replica'>): bigint {
  const { id } = hold.coverage.record;
  return BigInt(replica.coverages().find((one) => one.id === id)?.completeSince ?? '0');
}

/**
 * Where the state of now is in the history, for who goes on from there: the first place of those that have it, for it is on
 * disk, but not below `least`.
 */
export function placeOfNow(joined: Joined, least: bigint, deps: Pick<ReadsParts, 'replica'>): bigint {
  const since = completeSince(joined, deps);
  return [joined.reader.lastEntry, since, least].reduce((high, one) => (one > high ? one : high));
}

/** A name in the path of a watch narrows it as a selector of that name does. */
function fieldSelectorOf({ name, verbInPath }: ResourceRequest, query: URLSearchParams): string {
  const said = query.get('fieldSelector') ?? '';
  if (name === '' || !verbInPath) return said;
  if (said !== '' && said !== `metadata.name=${name}`) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
  return `metadata.name=${name}`;
}

/** What is asked for, in canonical form. Throws 400 in the API server's words. */
export function specOf({ info, request }: Read, metadataOnly: boolean, deps: ReadsParts): CoverageSpec {
  const wanted: Selection = {
    namespace: info.namespace,
    labelSelector: request.query.get('labelSelector') ?? '',
    fieldSelector: fieldSelectorOf(info, request.query),
  };
  const { selection } = compileSelection(heldResource(info), wanted, deps.types.customFields);
  return { resource: heldResource({ ...info, metadataOnly }), ...selection };
}

interface JoinContext {
  readonly read: Read;
  readonly spec: CoverageSpec;
  readonly options: ReadsOptions;
  readonly deps: ReadsParts;
}

async function synced(hold: CoverageHold, { read, options, deps }: JoinContext): Promise<void> {
  const { coverage } = hold;
  if (coverage.record.synced) return;
  const autonomy = autonomyNow(options, deps);
  if (autonomy !== undefined) throw notAvailable(autonomy, read);
  if (coverage.state.kind === 'suspended') return;
  const timeoutMs = options.syncTimeoutMs ?? 60_000;
  const what = `the first list of ${read.info.resource}`;
  await withDeadline({ what, timeoutMs, signal: read.request.signal }, deps.clock, (signal) =>
    coverage.whenSynced(signal),
  );
}

function usable(hold: CoverageHold, context: JoinContext): Joined | undefined {
  const { read, spec, options, deps } = context;
  const { record, state } = hold.coverage;
  // Nobody keeps it up to date, although somebody could ask the cloud himself.
  if (state.kind === 'suspended' && autonomyNow(options, deps) === undefined) return undefined;
  const selector = compileSelection(record.resource, spec, deps.types.customFields);
  if (!selector.complete) return undefined;
  const { signal } = read.request;
  const dispose = (): void => {
    signal.removeEventListener('abort', dispose);
    hold[Symbol.dispose]();
  };
  // The answer may never be read.
  signal.addEventListener('abort', dispose, { once: true });
  const reader = deps.replica.reader(record.resource);
  return { hold, reader, selector, [Symbol.dispose]: dispose };
}

/**
 * Joins what answers `spec` and waits until it is complete. Undefined: upstream knows better, because nobody keeps the
 * coverage up to date, or because the selector is of a field that nobody here knows.
 */
export async function join(context: JoinContext): Promise<Joined | undefined> {
  const { read, spec, deps } = context;
  const { request, info } = read;
  const verb = info.verb === 'list' ? 'list' : 'watch';
  const hold = await deps.coverages.join({ spec, caller: request.caller, verb }, request.signal);
  let joined: Joined | undefined;
  try {
    await synced(hold, context);
    joined = usable(hold, context);
    return joined;
  } finally {
    if (joined === undefined) hold[Symbol.dispose]();
  }
}

/** Offline: like `join`, but whatever is missing is 503. */
export async function joinHere(context: JoinContext): Promise<Joined> {
  const { read, options, deps } = context;
  const autonomy = autonomyNow(options, deps) ?? { nodeName: options.nodeName, sinceMs: deps.clock.now() };
  try {
    const joined = await join(context);
    if (joined !== undefined) return joined;
  } catch (error) {
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
  }
  throw notAvailable(autonomy, read);
}
