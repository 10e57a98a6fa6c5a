export {
  type DevelopmentDeps,
  type DevelopmentPackages,
  provideArtifacts,
  provideEdgeLite,
  providePackages,
} from './development.ts';
