import { type ErrorCode, SelvedgeError } from '@selvedge/kit';

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint?: string;
}

const another = 'is another edge-lite running with the same root?';
/** Primary result codes. Source: sqlite.org, "Result and Error Codes". */
const meanings: Readonly<Record<number, readonly [name: string, meaning: Meaning]>> = {
  5: ['SQLITE_BUSY', { code: 'Unavailable', what: 'is in use', hint: another }],
  6: ['SQLITE_LOCKED', { code: 'Unavailable', what: 'is locked', hint: another }],
  8: [
    'SQLITE_READONLY',
    { code: 'Unavailable', what: 'cannot be written', hint: 'check its owner and mount' },
  ],
  10: ['SQLITE_IOERR', { code: 'Unavailable', what: 'could not be read or written', hint: 'check the disk' }],
  11: ['SQLITE_CORRUPT', { code: 'Corrupt', what: 'is damaged' }],
  13: ['SQLITE_FULL', { code: 'ResourceExhausted', what: 'cannot grow', hint: 'free some disk space' }],
  14: ['SQLITE_CANTOPEN', { code: 'Unavailable', what: 'cannot be opened', hint: 'check its folder' }],
  26: ['SQLITE_NOTADB', { code: 'Corrupt', what: 'is not a database' }],
};

/** node:sqlite carries the number in `errcode`, better-sqlite3 the name in `code`; both may be extended codes. */
function meaningOf(error: object): Meaning | undefined {
  if ('errcode' in error && typeof error.errcode === 'number') return meanings[error.errcode & 0xff]?.[1];
  if (!('code' in error) || typeof error.code !== 'string') return undefined;
  const code = error.code;
  return Object.values(meanings).find(([name]) => code === name || code.startsWith(`${name}_`))?.[1];
}

/** The driver's error in our words: `Corrupt`, `ResourceExhausted` (disk full), `Unavailable`, else `Internal`. */
export function sqliteError(path: string, error: unknown): SelvedgeError {
  if (error instanceof SelvedgeError) return error;
  const meaning = typeof error === 'object' && error !== null ? meaningOf(error) : undefined;
  const { code, what, hint } = meaning ?? { code: 'Internal', what: 'refused a statement' };
  return new SelvedgeError(`database ${path} ${what}`, {
    code,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
