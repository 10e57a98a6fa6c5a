import type { Plugin } from 'esbuild';

/** Packages of which a program uses a part, and that do not say themselves that the rest may be left out. */
const packages = /\/node_modules\/(?:ws|yaml)\//;

/** yaml gives Node its CommonJS files, of which nothing can be left out; its others are the same code. */
const asModule = (path: string): string =>
  path.replace(/\/node_modules\/yaml\/dist\/index\.js$/, '/node_modules/yaml/browser/dist/index.js');

/** Leaves out what a bundle does not use of these packages. */
export const leanPackages: Plugin = {
  name: 'lean packages',
  setup(build) {
    build.onResolve({ filter: /^(?:ws$|yaml$|\.)/ }, async ({ path: asked, ...from }) => {
      const isOurs = !asked.startsWith('.') || packages.test(from.importer);
      if (!isOurs || from.pluginData === leanPackages) return undefined;
      const found = await build.resolve(asked, { ...from, pluginData: leanPackages });
      if (found.external || found.errors.length > 0) return found;
      return { path: asModule(found.path), sideEffects: false };
    });
  },
};
