export { createPodTokens, type PodTokens, type PodTokensDeps, type PodTokensOptions } from './pod-tokens.ts';
export { createReviews, type ReviewsDeps, type ReviewsOptions } from './reviews.ts';
export type { AnswerMemory } from './types.ts';
