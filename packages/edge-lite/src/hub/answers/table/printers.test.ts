import { describe, expect, it } from 'vitest';
import { printedResources, printerOf } from './printers.ts';

describe('tables', () => {
  it.each([...printedResources, 'v1/persistentvolumes', 'example.com/v1/things'])(
    '%s have as many cells as columns, even of an object without anything in it',
    (resource) => {
      const printer = printerOf(resource, () => undefined);
      for (const object of [{ metadata: {} }, { metadata: {}, spec: {}, status: {} }]) {
        expect(printer.cells(object, 0)).toHaveLength(printer.columns.length);
      }
    },
  );
});
