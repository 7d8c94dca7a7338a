import type { Plugin } from 'esbuild'
import { defineConfig } from 'tsup'

/** One source file becomes one output file, so that a consumer's bundler can drop every file it does not use. */
const keepModules: Plugin = {
  name: 'keep-modules',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    )
  },
}

// Declarations come from tsc (tsconfig.build.json): with isolated declarations that is faster than bundling them.
const config: ReturnType<typeof defineConfig> = defineConfig({
  entry: ['src/**/*.ts'],
  outDir: 'dist',
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  splitting: false,
  sourcemap: false,
  clean: true,
  dts: false,
  silent: true,
  skipNodeModulesBundle: true,
  esbuildPlugins: [keepModules],
})

export default config
