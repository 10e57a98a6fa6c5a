import type { Plan, CommandContext } from '../command/index.ts';
import { type Agreement, type Consent, createAgreement } from './agreement.ts';
import { type ExitCode, exitCodeOf, exitCodes, problemOf } from './errors/index.ts';
import { type CliHost, hasPerson } from './host.ts';
import { interruptible } from './interrupts.ts';
import { planText } from './plan/index.ts';
import { type Reporter, createProgress } from './progress/index.ts';
import { type Prompts, createPrompts } from './prompts.ts';
import { createReporter } from './reporter.ts';
import { fitted, styleOf } from './text/index.ts';

/** Of the documents that `--json` prints. */
const apiVersion = 'cli.selvedge.io/v1alpha1';

/** The flags that each command has, those that it does not have being absent. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** A command as the program sees it. */
export interface CommandFrame<R extends object> {
  /** Of the document that `--json` prints. */
  readonly kind: string;
  /** The result for people; lines that begin with four spaces are commands to be typed. */
  readonly describe: (result: R, columns: number | undefined) => string;
  /** Default: 0. */
  readonly exitCodeOf?: (result: R) => ExitCode;
  /** What to do after Ctrl-C. */
  readonly afterStop?: string;
}

/** What a command is given by the command line, beside its flags. */
export interface CommandRun extends CommandContext {
  /** Undefined where nobody can be asked. */
  readonly prompts: Prompts | undefined;
}

export interface Program {
  readonly host: CliHost;
  /**
   * Runs a command to its end and keeps its exit code. Does not throw. What `work` returns after a plan that was not
   * agreed to is not told.
   */
  perform<R extends object>(
    frame: CommandFrame<R>,
    flags: CommonFlags,
    work: (run: CommandRun) => Promise<R | undefined>,
  ): Promise<void>;
}

function consentOf(flags: CommonFlags, prompts: Prompts | undefined): Consent {
  if (flags.dryRun === true) return { kind: 'never' };
  if (flags.yes === true) return { kind: 'given' };
  return prompts === undefined
    ? { kind: 'nobody' }
    : { kind: 'asked', ask: (question) => prompts.confirm(question) };
}

class Performance<R extends object> {
  readonly #host: CliHost;
  readonly #frame: CommandFrame<R>;
  readonly #flags: CommonFlags;
  readonly #reporter: Reporter;

  constructor(host: CliHost, frame: CommandFrame<R>, flags: CommonFlags) {
    this.#host = host;
    this.#frame = frame;
    this.#flags = flags;
    this.#reporter = createReporter(host, { json: flags.json === true });
  }

  async run(work: (run: CommandRun) => Promise<R | undefined>): Promise<ExitCode> {
    try {
      return await interruptible(this.#host, this.#reporter, (signal) => this.#within(work, signal));
    } catch (error) {
      return await this.#fail(error);
    } finally {
      await this.#reporter.end();
    }
  }

  async #within(work: (run: CommandRun) => Promise<R | undefined>, signal: AbortSignal): Promise<ExitCode> {
    const host = this.#host;
    const canAsk = hasPerson(host) && this.#flags.json !== true;
    const prompts = canAsk ? createPrompts(host, this.#reporter, signal) : undefined;
    const agreement = createAgreement(consentOf(this.#flags, prompts), { reporter: this.#reporter });
    const { clock, random, version } = host;
    const progress = createProgress(this.#reporter, clock);
    const { agree } = agreement;
    const result = await work({ progress, agree, clock, random, signal, version, prompts });
    await this.#reporter.end();
    return this.#conclude(result, agreement);
  }

  #conclude(result: R | undefined, agreement: Agreement): ExitCode {
    const outcome = agreement.outcome();
    if (outcome.kind === 'planned') {
      this.#print({ kind: 'Plan', document: outcome.plan, text: this.#planText(outcome.plan) });
      return exitCodes.done;
    }
    if (outcome.kind === 'refused') {
      this.#reporter.tell({ kind: 'said', text: 'no changes made' });
      return exitCodes.failed;
    }
    if (result === undefined) return exitCodes.done;
    const { kind, describe, exitCodeOf: codeOf } = this.#frame;
    const columns = this.#columns();
    this.#print({ kind, document: result, text: fitted(describe(result, columns), columns) });
    return codeOf?.(result) ?? exitCodes.done;
  }

  #planText(plan: Plan): string {
    const { stdout, env } = this.#host;
    return planText(plan, { style: styleOf(stdout.isTTY === true, env), columns: this.#columns() });
  }

  #columns(): number | undefined {
    return this.#host.stdout.isTTY === true ? this.#host.stdout.columns : undefined;
  }

  #print(result: { readonly kind: string; readonly document: object; readonly text: string }): void {
    const { kind, document, text } = result;
    const json = { apiVersion, kind, ...document };
    const printed = this.#flags.json === true ? JSON.stringify(json, undefined, 2) : text;
    if (printed !== '') this.#host.stdout.write(`${printed}\n`);
  }

  async #fail(error: unknown): Promise<ExitCode> {
    const code = exitCodeOf(error);
    await this.#reporter.end();
    if (code === exitCodes.interrupted) {
      const next = this.#frame.afterStop ?? 'run the same command again';
      this.#reporter.tell({ kind: 'said', text: `stopped; ${next}` });
    } else {
      this.#reporter.tell({ kind: 'problem', problem: problemOf(error) });
    }
    return code;
  }
}

/** Runs commands; tells the exit code of the one that ran. */
export function createProgram(host: CliHost): Program & { readonly exitCode: () => ExitCode } {
  let exitCode: ExitCode = exitCodes.done;
  return {
    host,
    exitCode: () => exitCode,
    async perform(frame, flags, work) {
      exitCode = await new Performance(host, frame, flags).run(work);
    },
  };
}
