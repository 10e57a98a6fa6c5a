import { createExitCodes } from '@selvedge/kit';

/** The exit code of what failed. See `usage` for the list. */
export const { originating, exitCodeOf } = createExitCodes({ config: 2 });
