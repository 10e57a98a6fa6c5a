import { type ErrorCode, SelvedgeError, hasCode, messageOf } from '@selvedge/kit';
import type { Host } from '../host/index.ts';
import { places } from '../places.ts';

/** A line of edge-lite's log. Source: kit's `createJsonLogger`. */
interface LogLine {
  readonly level?: string;
  readonly text?: string;
  readonly error?: { readonly code?: string; readonly message?: string } | string;
}

function lineOf(text: string): LogLine {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? line : {};
  } catch {
    // systemd's own words, or those of a program that could not be started.
    return { text };
  }
}

const wordsOf = ({ text = '', error }: LogLine): string => {
  const message = typeof error === 'string' ? error : error?.message;
  return message ?? text;
};

/** What edge-lite said last of what went wrong, in its log of the newest run, oldest line first. Pure. */
export function lastTrouble(log: string): string | undefined {
  const lines = log
    .split('\n')
    .filter((line) => line !== '')
    .map(lineOf);
  const worst =
    lines.findLast(({ level }) => level === 'error') ?? lines.findLast(({ level }) => level === 'warn');
  const last = worst ?? lines.at(-1);
  return last === undefined ? undefined : wordsOf(last);
}

/** By the exit code of edge-lite. Source: docs/reference/edge-lite-config.md, "Exit codes". */
const exits: Readonly<
  Record<number, { readonly what: string; readonly code: ErrorCode; readonly hint: string }>
> = {
  2: {
    what: 'edge-lite rejects its config',
    code: 'Internal',
    hint: `this is a bug in selvedge: report it with ${places.config}; selvedge reset undoes the join`,
  },
  3: {
    what: 'the cluster rejects this node',
    code: 'Unauthenticated',
    hint: 'fix the cause, then run the same command again, with a new token if the token was rejected; selvedge reset undoes the join',
  },
  4: {
    what: 'the state of edge-lite on disk cannot be used',
    code: 'Corrupt',
    hint: 'undo the join with selvedge reset, then join again',
  },
};

const goOn =
  'fix the cause and run the same command again, which resumes where it stopped; selvedge reset undoes the join';

async function logOf(host: Host, signal: AbortSignal): Promise<string> {
  const how = ['--no-pager', '--quiet', '--output=cat', '--lines=100'] as const;
  const { stdout } = await host.run({ argv: ['journalctl', ...how, '--unit', places.unit] }, signal);
  return stdout.toString();
}

/** Why a machine did not become a node, from what was waited for last (`cause`), what edge-lite said and how it ended. */
export async function whyNot(
  { host, exitCode, cause }: { readonly host: Host; readonly exitCode: number; readonly cause: unknown },
  signal: AbortSignal,
): Promise<SelvedgeError> {
  const trouble = lastTrouble(await logOf(host, signal));
  const exit = exits[exitCode];
  const said = trouble === undefined ? undefined : new Error(trouble);
  if (exit !== undefined) {
    const { what, code, hint } = exit;
    return new SelvedgeError(what, { code, cause: said ?? cause, hint });
  }
  return new SelvedgeError(`${host.name} did not become Ready`, {
    code: hasCode(cause, 'DeadlineExceeded') ? 'DeadlineExceeded' : 'Unavailable',
    cause: said === undefined ? cause : new Error(messageOf(cause), { cause: said }),
    hint: goOn,
  });
}
