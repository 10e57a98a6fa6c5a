import { hasCode } from '@selvedge/kit';

/** Waits for a call; that there is nothing to do it to is as good as done. */
export async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error;
  }
}
