import type { HeldResource } from '../../replica/types.ts';
import { corePrinters } from './core.ts';
import { customPrinter, type CustomColumns } from './custom.ts';
import { networkPrinters } from './network.ts';
import { podPrinter } from './pods.ts';
import type { Printer } from './types.ts';
import { workloadPrinters } from './workloads.ts';

/** With the cells that the API server gives them. Source: the table printers of Kubernetes 1.36. */
const known: Readonly<Record<HeldResource, Printer>> = {
  'v1/pods': podPrinter,
  ...corePrinters,
  ...networkPrinters,
  ...workloadPrinters,
};

const agePrinter = customPrinter([{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }]);

export const printedResources: readonly HeldResource[] = Object.keys(known);

/** How a resource is printed; name and age where nobody knows better. */
export function printerOf(resource: HeldResource, custom: CustomColumns): Printer {
  const columns = custom(resource) ?? [];
  return known[resource] ?? (columns.length === 0 ? agePrinter : customPrinter(columns));
}
