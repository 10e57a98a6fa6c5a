import type { Clock } from '@selvedge/kit';
import type { ProgressEvent, Reporter } from './events.ts';

type Line = Readonly<Record<string, unknown>>;

function lineOf(event: ProgressEvent): Line {
  switch (event.kind) {
    case 'said':
      return { kind: 'Message', text: event.text };
    case 'planned':
      return { kind: 'Plan', ...event.plan };
    case 'problem':
      return { kind: 'Error', ...event.problem };
    case 'task': {
      const { kind: state, ...rest } = event.change;
      return { kind: 'Task', ...event.task, state, ...rest };
    }
  }
}

/** One JSON document per line: `time` (RFC 3339), `kind`, and what belongs to it. See docs/reference/selvedge.md. */
export function createJsonReporter(deps: {
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (text: string) => void;
}): Reporter {
  return {
    tell(event) {
      const time = new Date(deps.clock.now()).toISOString();
      deps.write(`${JSON.stringify({ time, ...lineOf(event) })}\n`);
    },
    aside: (work) => work(),
    end: () => Promise.resolve(),
  };
}
