import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

const everywhere = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'ExportAllDeclaration', message: 'Name every export.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
]

const pure = 'comes in as an argument, or through a port.'

/** What the compiler cannot see leaking into the pure rooms: clocks and randomness. */
const impure = [
  {
    selector: 'MemberExpression[object.name="Date"][property.name="now"]',
    message: `Time ${pure}`,
  },
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: `Time ${pure}` },
  { selector: 'CallExpression[callee.name="Date"]', message: `Time ${pure}` },
  {
    selector: 'MemberExpression[object.name="performance"][property.name="now"]',
    message: `Time ${pure}`,
  },
  {
    selector: 'MemberExpression[object.name="Math"][property.name="random"]',
    message: `Randomness ${pure}`,
  },
  {
    selector:
      'CallExpression:matches([callee.name=/^(randomBytes|randomSecretKey|generateMnemonic)$/], [callee.property.name=/^(randomBytes|randomSecretKey|generateMnemonic)$/])',
    message: `Randomness ${pure}`,
  },
  {
    selector:
      'CallExpression[arguments.length=0]:matches([callee.name="keygen"], [callee.property.name="keygen"])',
    message: `The seed of a key ${pure}`,
  },
  {
    selector: 'CallExpression[arguments.length=1][callee.property.name="encapsulate"]',
    message: `The seed of an encapsulation ${pure}`,
  },
]

const automergeElsewhere = {
  group: ['@automerge/*', '@automerge/**', 'automerge'],
  message: 'Automerge is known to packages/core/src/history/automerge.ts alone.',
}

/** What takes another replica's bytes, or merges what was not computed here. */
const unsafeAutomerge = [
  {
    selector:
      'MemberExpression[property.name=/^(merge|loadIncremental|receiveSyncMessage|generateSyncMessage|decodeSyncMessage|addCommits|addFragments|readBundle)$/]',
    message: 'Documents are computed from records; nothing a peer made is given to Automerge.',
  },
]

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/',
      '**/dist/',
      'coverage/',
      'stubs/',
      'test/bench/peers/',
      '**/*.d.ts',
      '**/*.d.mts',
    ],
  },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'no-restricted-syntax': ['error', ...everywhere],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // `Record<never, never>` says: takes nothing.
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      // An async port often has nothing to await; the return type is the contract.
      '@typescript-eslint/require-await': 'off',
      // A type parameter often documents a brand or a frame's record.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  {
    files: ['packages/core/src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere, ...impure] },
  },
  {
    // No byte from a peer reaches Automerge: one file of ours knows it, and one test compares bytes with it.
    files: ['**/*.{ts,tsx}'],
    ignores: [
      'packages/core/src/history/automerge.ts',
      'test/vectors/history/changes.test.ts',
      // Imports the address of the wasm file, none of its code.
      'packages/web/src/tab/run-device.ts',
    ],
    rules: {
      'no-restricted-imports': ['error', { patterns: [automergeElsewhere] }],
    },
  },
  {
    files: ['packages/core/src/history/automerge.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...everywhere, ...impure, ...unsafeAutomerge],
    },
  },
  {
    files: ['test/**/*.{ts,tsx}'],
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: {
        console: 'readonly',
        Event: 'readonly',
        module: 'writable',
        process: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },
  {
    files: ['*.config.{mjs,ts}', '**/vite.config.ts', '.dependency-cruiser.mjs', 'scripts/*.mjs'],
    rules: { 'no-restricted-syntax': 'off' },
  },
)
