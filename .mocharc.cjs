/** Mocha joins what its configuration names with what it is given, so that everything is named only when nothing is. */
const given = process.argv.slice(2).some((arg) => arg.startsWith('--spec') || arg.endsWith('.test.ts'))

module.exports = {
  spec: given ? [] : ['test/**/*.test.ts'],
  ignore: ['test/bench/peers/**', 'test/mutation/**'],
  'node-option': [
    'import=./packages/core/bindings/host-node/polyfill.mjs',
    'import=tsx',
    'conditions=sotto-source',
    // Test files are imported, as everything they import later is: required ones would have their own copy of it.
    'no-experimental-require-module',
  ],
  reporter: './scripts/mocha-reporter.mjs',
  'fail-zero': true,
  'forbid-only': true,
  timeout: 60_000,
}
