export { createCoverages, type CoveragesDeps, type CoveragesOptions } from './coverages.ts';
export {
  createSponsorTokens,
  type Account,
  type SponsorTokens,
  type SponsorTokensDeps,
} from './sponsor-token.ts';
export { sponsorKey } from './sponsors.ts';
