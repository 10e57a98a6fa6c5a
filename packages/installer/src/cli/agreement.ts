import { SelvedgeError } from '@selvedge/kit';
import { type CommandContext, type Plan, isDone } from '../command/index.ts';
import type { Reporter } from './progress/index.ts';

/** How a plan is agreed to. */
export type Consent =
  /** `--dry-run`. */
  | { readonly kind: 'never' }
  /** `--yes`. */
  | { readonly kind: 'given' }
  /** Somebody is at the terminal. */
  | { readonly kind: 'asked'; readonly ask: (question: string) => Promise<boolean> }
  /** Nobody is. */
  | { readonly kind: 'nobody' };

/** What became of the last plan. */
export type Outcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'agreed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'planned'; readonly plan: Plan };

export interface Agreement {
  readonly agree: CommandContext['agree'];
  readonly outcome: () => Outcome;
}

const nobody = (title: string): SelvedgeError =>
  new SelvedgeError(`${title}: cannot ask for confirmation: no interactive terminal`, {
    code: 'Invalid',
    hint: 'use --yes to proceed without asking, or --dry-run to see the plan',
  });

async function isWanted(plan: Plan, consent: Consent): Promise<boolean> {
  switch (consent.kind) {
    case 'never':
      return false;
    case 'given':
      return true;
    case 'asked':
      return consent.ask(`${plan.title}?`);
    case 'nobody':
      throw nobody(plan.title);
  }
}

/** The door between a plan and its first change. An empty plan needs nobody's word. */
export function createAgreement(consent: Consent, deps: { readonly reporter: Reporter }): Agreement {
  let outcome: Outcome = { kind: 'none' };
  return {
    outcome: () => outcome,
    async agree(plan) {
      if (consent.kind === 'never') {
        outcome = { kind: 'planned', plan };
        return false;
      }
      deps.reporter.tell({ kind: 'planned', plan });
      const wanted = isDone(plan) || (await isWanted(plan, consent));
      outcome = { kind: wanted ? 'agreed' : 'refused' };
      return wanted;
    },
  };
}
