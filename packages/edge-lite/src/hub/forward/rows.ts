import type { Clock } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { includeObjectOf, negotiate, printerOf, tableRow } from '../answers/index.ts';
import { type ResourceRequest, heldResource } from '../request-info/index.ts';
import type { HeldResource } from '../replica/types.ts';
import type { HubRequest } from '../request.ts';

type Json = Readonly<Record<string, unknown>>;

/** How one object is shown. */
export type ShowObject = (object: KubeObject) => KubeObject;
/** How one row of a Table is shown. */
export type ShowRow = (row: Json) => Json;

/** Resources of which cells say what views take away: upstream's cells would say it all the same. */
const printed: ReadonlySet<HeldResource> = new Set(['discovery.k8s.io/v1/endpointslices', 'v1/endpoints']);

const objectOf = (row: Json): KubeObject | undefined => {
  const object = row['object'] as KubeObject | null | undefined;
  return object?.metadata === undefined ? undefined : object;
};

/** Whether rows have to be written here, for which upstream must give the whole objects. */
export function printsHere(about: ResourceRequest, { headers }: Pick<HubRequest, 'headers'>): boolean {
  return printed.has(heldResource(about)) && negotiate(headers['accept'], { yaml: false }).as === 'Table';
}

/** Its object may be left out, reduced or whole. Source: meta.k8s.io/v1 TableRow. */
export function showRow(
  { about, request }: { readonly about: ResourceRequest; readonly request: HubRequest },
  show: ShowObject,
  { clock }: { readonly clock: Pick<Clock, 'now'> },
): ShowRow {
  if (!printsHere(about, request)) {
    return (row) => {
      const object = objectOf(row);
      return object === undefined ? row : { ...row, object: show(object) };
    };
  }
  const { version } = negotiate(request.headers['accept'], { yaml: false });
  const options = { includeObject: includeObjectOf(request.query), version };
  const printer = printerOf(heldResource(about), () => undefined);
  return (row) => {
    const { cells: _, object: __, ...rest } = row;
    return {
      ...rest,
      ...tableRow(show(objectOf(row) ?? { metadata: {} }), options, { printer, now: () => clock.now() }),
    };
  };
}
