import { type Clock, type TaskGroup, createTaskGroup } from '@selvedge/kit';
import { planText } from '../plan/index.ts';
import { problemText } from '../errors/index.ts';
import { type Style, widthOf, wrapped } from '../text/index.ts';
import type { ProgressEvent, Reporter } from './events.ts';
import { taskLines } from './task-lines.ts';
import { createTaskList } from './tasks.ts';

/** A terminal as far as lines that change need it. */
export interface LiveTerminal {
  write(text: string): void;
  /** Now: people resize it. */
  columns(): number;
  rows(): number;
}

export interface LiveReporterDeps {
  readonly terminal: LiveTerminal;
  readonly clock: Clock;
  readonly style: Style;
}

const frameMs = 100;
/** Source: ECMA-48: cursor up, and erase from there to the end. */
const upAndErase = (lines: number): string => (lines === 0 ? '' : `\u001B[${lines}A\r\u001B[J`);

/**
 * A task list that changes in place, below lines that stay: what ended, what was said. The cursor stays visible, so that
 * nothing is to be repaired if the program is killed.
 */
class LiveReporter implements Reporter {
  readonly #deps: LiveReporterDeps;
  readonly #tasks = createTaskList();
  readonly #frames: TaskGroup;
  #drawn: readonly string[] = [];
  #isAside = false;
  #runs = false;

  constructor(deps: LiveReporterDeps) {
    this.#deps = deps;
    this.#frames = createTaskGroup(
      { name: 'live tasks' },
      {
        onFailure: (error) => {
          throw error;
        },
      },
    );
  }

  tell(event: ProgressEvent): void {
    switch (event.kind) {
      case 'said':
        return this.#keep(wrapped(event.text, this.#columns(), 2));
      case 'planned':
        return this.#keep(
          planText(event.plan, { style: this.#deps.style, columns: this.#columns() }).split('\n'),
        );
      case 'problem':
        return this.#keep(
          problemText(event.problem, { style: this.#deps.style, columns: this.#columns() }).split('\n'),
        );
      case 'task':
        this.#tasks.tell(event.task, event.change, this.#deps.clock.monotonicMs());
        return this.#run();
    }
  }

  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.#replace(this.#lines(this.#tasks.takeEnded()), []);
    this.#isAside = true;
    try {
      return await work();
    } finally {
      this.#isAside = false;
    }
  }

  async end(): Promise<void> {
    await this.#frames.stop();
    this.#replace(this.#lines([...this.#tasks.takeEnded(), ...this.#tasks.roots]), []);
  }

  #run(): void {
    if (this.#runs) return;
    this.#runs = true;
    this.#frames.run('draw', async (signal) => {
      for (;;) {
        if (!this.#isAside) this.#draw();
        await this.#deps.clock.sleep(frameMs, signal);
      }
    });
  }

  #draw(): void {
    this.#replace(this.#lines(this.#tasks.takeEnded()), this.#running());
  }

  #running(): readonly string[] {
    // One row for the cursor below.
    return this.#lines(this.#tasks.roots, this.#deps.terminal.rows() - 1);
  }

  /** Lines that stay, below what ended and above those that change. */
  #keep(lines: readonly string[]): void {
    const ended = this.#lines(this.#tasks.takeEnded());
    this.#replace([...ended, ...lines], this.#isAside ? [] : this.#running());
  }

  #replace(kept: readonly string[], changing: readonly string[]): void {
    const columns = this.#columns();
    // Made narrower, the terminal broke them.
    const rows = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    const text = [...kept, ...changing].map((line) => `${line}\n`).join('');
    this.#drawn = changing;
    if (rows > 0 || text !== '') this.#deps.terminal.write(upAndErase(rows) + text);
  }

  #lines(nodes: Parameters<typeof taskLines>[0], rows?: number): readonly string[] {
    const { clock, style } = this.#deps;
    const options = { style, nowMs: clock.monotonicMs(), columns: this.#columns() };
    return taskLines(nodes, rows === undefined ? options : { ...options, rows });
  }

  #columns(): number {
    return Math.max(1, this.#deps.terminal.columns());
  }
}

export const createLiveReporter = (deps: LiveReporterDeps): Reporter => new LiveReporter(deps);
