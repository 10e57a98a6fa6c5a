export { durationText } from '../../duration-text.ts';
export { parseDuration } from './duration.ts';
export { styleOf, type Colors, type Style, type Symbols } from './style.ts';
export { table, type TableOptions } from './table.ts';
export { fitted, printable, truncated, widthOf, wrapped } from './text.ts';
