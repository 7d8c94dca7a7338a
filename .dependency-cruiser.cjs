/**
 * The import table of docs/architecture.md as rules.
 * `type-only` imports are exempt where the table has a column for types.
 */
const modules = ['loader', 'tokenizer', 'chunker', 'embedder', 'vector-index', 'lexical-index']
const composing = ['retriever', 'prompt-assembler', 'language-model', 'corpus', 'evaluation', 'telemetry']
const interfaceFile =
  '^src/(document|filter|errors)\\.ts$|^src/(loader/loader|tokenizer/tokenizer|chunker/chunker|embedder/embedder|vector-index/vector-index|lexical-index/lexical-index|retriever/retriever|prompt-assembler/prompt-assembler|language-model/language-model|corpus/corpus|corpus/storage|corpus/sealer|evaluation/evaluation|telemetry/telemetry)\\.ts$'

/** Values may come from these paths only; node_modules and node:* have rules of their own. */
const valuesOnlyFrom = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed, dependencyTypesNot: ['type-only'] },
})
/** Types may come from the same folder, the allowed value sources, and any interface file. */
const typesOnlyFrom = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [allowed, interfaceFile] },
})

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'not-resolvable', severity: 'error', from: { path: '^src' }, to: { couldNotResolve: true } },
    valuesOnlyFrom('errors-import-nothing', '^src/(errors|document)\\.ts$', '^$'),
    valuesOnlyFrom('filter-imports-errors', '^src/filter\\.ts$', '^src/(errors\\.ts$|internal/)'),
    valuesOnlyFrom('internal-imports-errors', '^src/internal/', '^src/(internal/|errors\\.ts$)'),
    ...[...modules, ...composing].flatMap((folder) => {
      // What models see of tools is known in one place: docs/decisions/0078.
      const shared = folder === 'prompt-assembler' ? 'tokenizer/tool-declarations\\.ts$|' : ''
      const allowed = `^src/(${shared}${folder}/|internal/|(filter|errors)\\.ts$)`
      return [
        valuesOnlyFrom(`${folder}-values`, `^src/${folder}/`, allowed),
        typesOnlyFrom(`${folder}-types`, `^src/${folder}/`, allowed),
      ]
    }),
    {
      name: 'providers-values',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/providers/$1/',
          '^src/(internal/|(filter|errors)\\.ts$)',
          '^src/prompt-assembler/render-[a-z-]+\\.ts$',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    valuesOnlyFrom('node-values', '^src/node/', '^src/(node/|internal/|errors\\.ts$)'),
    {
      name: 'only-preset-and-testing-reach-providers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(providers|preset|testing)/' },
      to: { path: '^src/(providers|preset|testing)/' },
    },
    {
      name: 'node-built-ins-stay-in-node',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/(node/|providers/(usearch|faiss|transformers)/|testing/loopback-server\\.ts$|tokenizer/[a-z0-9-]+-node\\.ts$|embedder/[a-z0-9-]+-node\\.ts$)',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'preset-and-testing-use-public-entries',
      severity: 'error',
      from: { path: '^src/(preset|testing)/([^/]+)' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/$1/',
          '^src/.*/index\\.ts$',
          '^src/tokenizer/(o200k|cl100k)-base\\.ts$',
          '^src/(errors|filter|document)\\.ts$',
          '^src/internal/',
          interfaceFile,
        ],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'node', 'import', 'default'] },
  },
}
