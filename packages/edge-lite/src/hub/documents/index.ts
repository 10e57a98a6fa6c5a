export { createArchive, type Archive, type ArchiveOptions } from './archive.ts';
export { createDocuments, type Documents, type DocumentsDeps, type DocumentsOptions } from './documents.ts';
export { documentPath, type DocumentPath } from './paths.ts';
export { createTypes } from './types-of-api.ts';
