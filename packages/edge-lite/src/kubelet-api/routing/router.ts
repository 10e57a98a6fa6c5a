import { SelvedgeError } from '@selvedge/kit';
import type { KubeletRoute } from '../types.ts';
import type { Target } from './target.ts';

/** The route of a request and the named segments of its path. */
export interface Match {
  readonly route: KubeletRoute;
  readonly params: Readonly<Record<string, string>>;
}

export interface Router {
  /** Throws `NotFound`, or 405 for another method than the path has. */
  match(target: Pick<Target, 'method' | 'segments'>): Match;
  /** Whether the path turns connections over, whatever the method. */
  isStream(segments: readonly string[]): boolean;
}

interface Pattern {
  readonly route: KubeletRoute;
  readonly segments: readonly string[];
}

const patternOf = (route: KubeletRoute): Pattern => ({ route, segments: route.path.split('/').slice(1) });

/** `{pod}` → `pod`; undefined for a segment that stands for itself. */
const nameOf = (segment: string): string | undefined => /^\{(\w+)\}$/.exec(segment)?.[1];

function paramsOf(
  pattern: Pattern,
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.segments.length !== segments.length) return undefined;
  const params: [string, string][] = [];
  for (const [at, expected] of pattern.segments.entries()) {
    const given = segments[at] ?? '';
    const name = nameOf(expected);
    if (name !== undefined) params.push([name, given]);
    else if (expected !== given) return undefined;
  }
  return Object.fromEntries(params);
}

/** The first route with the path and the method counts. */
export function createRouter(routes: readonly KubeletRoute[]): Router {
  const patterns = routes.map(patternOf);
  const matching = (segments: readonly string[]): readonly Match[] =>
    patterns.flatMap((pattern) => {
      const params = paramsOf(pattern, segments);
      return params === undefined ? [] : [{ route: pattern.route, params }];
    });
  return {
    match({ method, segments }) {
      const found = matching(segments);
      const match = found.find(({ route }) => route.methods.includes(method));
      if (match !== undefined) return match;
      if (found.length === 0) throw new SelvedgeError('404 page not found', { code: 'NotFound' });
      const allow = [...new Set(found.flatMap(({ route }) => route.methods))].join(', ');
      throw new SelvedgeError(`the method ${method} is not allowed`, {
        code: 'Unsupported',
        details: { status: 405, allow },
      });
    },
    isStream: (segments) => matching(segments).some(({ route }) => route.kind === 'stream'),
  };
}
