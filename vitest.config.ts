import { transform } from 'esbuild';
import { configDefaults, defineConfig, type Plugin } from 'vitest/config';

/** Lowers TC39 decorators, which the bundled transformer leaves as they are and Node 20 cannot parse. */
const lowerDecorators: Plugin = {
  name: 'lower-decorators',
  enforce: 'pre',
  async transform(code, id) {
    if (!id.endsWith('.ts') || !/^\s*@[A-Z]/m.test(code)) return null;
    return transform(code, { loader: 'ts', target: 'es2022', sourcemap: 'inline', sourcefile: id });
  },
};

export default defineConfig({
  plugins: [lowerDecorators],
  test: {
    include: ['test/**/*.test.ts'],
    // They have configurations of their own: vitest.faults.config.ts, vitest.servers.config.ts.
    exclude: [...configDefaults.exclude, 'test/faults/**', 'test/hostile/**', 'test/servers/**'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/properties.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
