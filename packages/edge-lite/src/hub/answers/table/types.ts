import type { KubeObject } from '@selvedge/kube';

/** A column of a table. Source: metav1.TableColumnDefinition. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** `name` for the column that names the object. */
  readonly format: string;
  readonly description: string;
  /** 0: always shown; higher: shown when there is room or somebody asks. */
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

/** How the objects of one resource are printed. Pure. */
export interface Printer {
  readonly columns: readonly Column[];
  cells(object: KubeObject, nowMs: number): readonly Cell[];
}
