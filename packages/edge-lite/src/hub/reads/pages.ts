import { setImmediate } from 'node:timers/promises';
import type { KubeObject } from '@selvedge/kube';
import { expired } from '../answers/index.ts';
import type { ObjectName, ResourceReader, Shown } from '../replica/types.ts';
import type { Selector } from '../selection/index.ts';

export interface SelectOptions {
  readonly reader: ResourceReader;
  readonly selector: Selector;
  /** The state at that version. */
  readonly at: bigint;
  readonly after: ObjectName | undefined;
}

/** Rows that are in memory at a time. */
const pageRows = 200;

function matches(selector: Selector, row: Shown): boolean {
  if (!selector.mayBeAt(row)) return false;
  return selector.byPlace || selector.matches(JSON.parse(row.json) as KubeObject) === true;
}

const namespaceOf = ({ selection }: Selector): string | undefined =>
  selection.namespace === '' ? undefined : selection.namespace;

/** Others get their turn between two pages, also where nothing on them is selected. */
async function* pages(
  { reader, selector, at }: SelectOptions,
  first: readonly Shown[],
): AsyncGenerator<readonly Shown[], void, void> {
  const namespace = namespaceOf(selector);
  for (let page = first; page.length > 0; ) {
    const selected = page.filter((row) => matches(selector, row));
    if (selected.length > 0) yield selected;
    await setImmediate();
    const next = reader.page({ namespace, after: page.at(-1), limit: pageRows, at });
    if (next === 'expired') throw expired(`too old resource version: ${at}`);
    page = next;
  }
}

/** The one object of a selection by namespace and name, in the state of now. Undefined: there may be others. */
function theOne({ reader, selector, at, after }: SelectOptions): readonly Shown[] | undefined {
  const { selection, name } = selector;
  const isNow = at >= reader.lastEntry && at <= reader.version;
  if (name === undefined || selection.namespace === '' || !isNow || after !== undefined) return undefined;
  const row = reader.get({ namespace: selection.namespace, name });
  return row !== undefined && matches(selector, row) ? [row] : [];
}

/**
 * The selected rows of one state in their order, page by page, read as they are taken. Throws `Gone` if the state is
 * forgotten meanwhile.
 */
export function select(options: SelectOptions): AsyncIterable<readonly Shown[]> | 'expired' {
  const { reader, selector, at, after } = options;
  const one = theOne(options);
  if (one !== undefined) return pages(options, one);
  const first = reader.page({ namespace: namespaceOf(selector), after, limit: pageRows, at });
  return first === 'expired' ? 'expired' : pages(options, first);
}
