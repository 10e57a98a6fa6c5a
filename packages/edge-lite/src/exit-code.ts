import { type ErrorCode, createExitCodes } from '@selvedge/kit';

/** The exit code of what failed, as systemd sees it. See `usage` for the list. */
const exitCodes = { config: 2, identity: 3, store: 4 } as const;

/** Where an error arose. */
export type Origin = keyof typeof exitCodes;

/** The answers to a join that stay the same until a person does something. */
export const refusals: readonly ErrorCode[] = ['Invalid', 'Unauthenticated', 'Forbidden', 'AlreadyExists'];

export const { originating, exitCodeOf } = createExitCodes<Origin>(exitCodes);
