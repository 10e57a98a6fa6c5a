import { SelvedgeError } from '@selvedge/kit';
import type { HeldResource } from '../replica/types.ts';

/** Asks the cluster for the newest version of a resource. */
export type Look = () => Promise<string>;

/**
 * Looks, once per resource each time that the link comes back, whether the cluster has come as far as what is held: one
 * that was restored from a backup would send nothing until it has, and nothing of what it did meanwhile.
 */
export interface FirstContact {
  /** Throws `Gone`, which leads to a list, if `version` is one that the cluster has not reached. */
  check(question: {
    readonly resource: HeldResource;
    readonly version: string;
    /** Of the link: what was seen on another one does not count. */
    readonly reach: AbortSignal;
    readonly look: Look;
  }): Promise<void>;
}

/** Versions of one resource are decimal numbers that grow. Source: KEP-5504, "Comparable Resource Version". */
function isAhead(version: string, current: string): boolean {
  return [version, current].every((one) => /^\d+$/.test(one)) && BigInt(version) > BigInt(current);
}

export function createFirstContact(): FirstContact {
  let link: AbortSignal | undefined;
  const looks = new Map<HeldResource, Promise<string>>();
  const currentOf = (resource: HeldResource, look: Look): Promise<string> => {
    const known = looks.get(resource);
    if (known !== undefined) return known;
    const looking = look();
    looks.set(resource, looking);
    return looking.catch((error: unknown) => {
      if (looks.get(resource) === looking) looks.delete(resource);
      throw error;
    });
  };
  return {
    async check({ resource, version, reach, look }) {
      if (link !== reach) looks.clear();
      link = reach;
      const current = await currentOf(resource, look);
      if (!isAhead(version, current)) return;
      const message = `version ${version} is ahead of the cluster's ${current}: it was restored from a backup`;
      throw new SelvedgeError(message, { code: 'Gone' });
    },
  };
}
