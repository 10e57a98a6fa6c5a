import { hasCode } from '@selvedge/kit';

/** What an API server answers; undefined where the object, or what defines its kind, is not there (`NotFound`). */
export async function ifFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
}
