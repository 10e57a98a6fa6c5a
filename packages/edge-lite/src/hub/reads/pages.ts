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

function matches(selector: Selector, { json }: Shown): boolean {
  return selector.byNamespace || selector.matches(JSON.parse(json) as KubeObject) === true;
}

function* rows(
  { reader, selector, at }: SelectOptions,
  first: readonly Shown[],
): Generator<Shown, void, void> {
  const { namespace } = selector.selection;
  for (let page = first; page.length > 0; ) {
    for (const row of page) {
      if (matches(selector, row)) yield row;
    }
    if (page.length < pageRows) return;
    const next = reader.page({ namespace: namespaceOf(namespace), after: page.at(-1), limit: pageRows, at });
    if (next === 'expired') throw expired(`too old resource version: ${at}`);
    page = next;
  }
}

const namespaceOf = (namespace: string): string | undefined => (namespace === '' ? undefined : namespace);

/**
 * The selected rows of one state in their order, read page by page as they are taken. Throws `Gone` if the state is
 * forgotten meanwhile.
 */
export function select(options: SelectOptions): Iterable<Shown> | 'expired' {
  const { reader, selector, at, after } = options;
  const namespace = namespaceOf(selector.selection.namespace);
  const first = reader.page({ namespace, after, limit: pageRows, at });
  return first === 'expired' ? 'expired' : rows(options, first);
}
