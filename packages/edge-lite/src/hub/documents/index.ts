export { createArchive, type Archive, type ArchiveOptions } from './archive.ts';
export { createDocuments, type Documents, type DocumentsDeps, type DocumentsOptions } from './documents.ts';
export { createTypes } from './types-of-api.ts';
