const layers = [
  ['api', 'kit'],
  ['kube', 'tunnel', 'containerd-grpc-types'],
  ['unit-controller'],
  ['cloud-manager', 'edge-lite', 'installer'],
];
const at = (names) => `^packages/(${names.join('|')})/`;
/** What packages show of themselves: the entries in `exports` of their package.json. */
const entries = [
  '^packages/[^/]+/src/index\\.ts$',
  '^packages/tunnel/src/(agent|server)/index\\.ts$',
  '^packages/kit/src/(net|serve|x509)/index\\.ts$',
  '^packages/kit/src/testing\\.ts$',
  '^packages/kube/src/gen/types\\.ts$',
  '^packages/containerd-grpc-types/src/client/(index|grpc-js)\\.ts$',
  '^packages/installer/src/(release|testing)\\.ts$',
];
/** Each layer may import only what is strictly below it. */
const down = layers.map((names, i) => ({
  name: `layer-${i}-points-down`,
  severity: 'error',
  from: { path: at(names) },
  to: { path: at(layers.slice(i).flat()), pathNot: `^packages/$1/` },
}));
module.exports = {
  forbidden: [
    ...down,
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-deep-import',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: {
        path: '^packages/[^/]+/src/',
        pathNot: ['^packages/$1/', ...entries],
      },
    },
    {
      name: 'public-faces-only',
      comment: 'what is no package of ours uses libraries by their entries; programs have none',
      severity: 'error',
      from: { path: '^(hack|test)/' },
      to: { path: '^packages/(?!edge-lite/|cloud-manager/)[^/]+/src/', pathNot: entries },
    },
    {
      name: 'sqlite-only-in-store',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/edge-lite/src/store/' },
      to: { path: 'better-sqlite3|^node:sqlite$|^sqlite$' },
    },
    {
      name: 'no-sibling-internals',
      comment: 'folders of a program are modules: a sibling is reached through its index',
      severity: 'error',
      from: { path: '^packages/(edge-lite|cloud-manager)/src/([^/]+)/' },
      to: {
        path: '^packages/$1/src/[^/]+/',
        pathNot: ['^packages/$1/src/$2/', '/(index|testing)\\.ts$'],
      },
    },
    {
      name: 'no-sibling-internals-of-the-installer',
      comment: 'the same; the journal is of steps, and steps are journalled',
      severity: 'error',
      from: { path: '^packages/installer/src/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/installer/src/[^/]+/',
        pathNot: ['^packages/installer/src/$1/', '/(index|testing[^/]*|steps/types)\\.ts$'],
      },
    },
    {
      name: 'plans-are-pure',
      comment: 'plan(desired, observed) has no I/O and no clock',
      severity: 'error',
      from: { path: '^packages/edge-lite/src/pods/plan/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { pathNot: '(^test/|\\.test\\.ts$)' },
      to: { path: '(^test/|\\.test\\.ts$)' },
    },
    {
      name: 'testing-for-tests-only',
      severity: 'error',
      from: { path: '^packages/', pathNot: '/testing[^/]*\\.ts$|\\.test\\.ts$' },
      to: { path: '^packages/[^/]+/src/', pathNot: '/(?!testing)[^/]*$' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '(\\.test\\.ts$|main\\.ts$|\\.d\\.ts$)' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
