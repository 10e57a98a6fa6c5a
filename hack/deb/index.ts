export { type Compression, type DebOptions, type DebPackage, buildDeb } from './package.ts';
export { type ReleasedProgram, debVersion } from './control.ts';
export { edgeLitePackage } from './edge-lite.ts';
export { type Shell, selvedgePackage, shells } from './selvedge.ts';
