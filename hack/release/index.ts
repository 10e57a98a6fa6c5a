export { type DevelopmentDeps, provideArtifacts, provideEdgeLite } from './development.ts';
