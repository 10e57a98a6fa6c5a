import type { Clock } from '@selvedge/kit';
import { planText } from '../plan/index.ts';
import { problemText } from '../errors/index.ts';
import { type Style, durationText } from '../text/index.ts';
import type { ProgressEvent, Reporter, TaskChange, TaskRef } from './events.ts';

export interface PlainReporterDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (text: string) => void;
  readonly style: Style;
}

function taskText({ path }: TaskRef, change: TaskChange, { symbols }: Style): string {
  const title = path.join(' / ');
  switch (change.kind) {
    case 'started':
      return `> ${title}`;
    case 'noted':
      return `  ${title}: ${change.text}`;
    case 'done':
    case 'failed':
    case 'stopped':
      return `${symbols[change.kind]} ${title} (${durationText(change.durationMs)})`;
  }
}

function textOf(event: ProgressEvent, style: Style): string {
  switch (event.kind) {
    case 'said':
      return event.text;
    case 'planned':
      return planText(event.plan, { style });
    case 'problem':
      return problemText(event.problem, { style });
    case 'task':
      return taskText(event.task, event.change, style);
  }
}

/** Lines with their time, for a log: nothing moves, nothing is coloured, each says all of where it is. */
export function createPlainReporter({ clock, write, style }: PlainReporterDeps): Reporter {
  return {
    tell(event) {
      const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
      for (const line of textOf(event, style).split('\n')) write(`${time} ${line}`.trimEnd().concat('\n'));
    },
    aside: (work) => work(),
    end: () => Promise.resolve(),
  };
}
