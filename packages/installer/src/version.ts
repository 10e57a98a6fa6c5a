/** Put in by the build. */
declare const SELVEDGE_VERSION: string | undefined;

/** Of this program, SemVer; from sources it is not known. */
export const version: string = typeof SELVEDGE_VERSION === 'string' ? SELVEDGE_VERSION : '0.0.0-source';
