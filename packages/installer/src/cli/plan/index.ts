export { createAgreement, type Agreement, type Consent, type Outcome } from './agreement.ts';
export { planText, type PlanTextOptions } from './plan-text.ts';
