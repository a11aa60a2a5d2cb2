// Bundles a program with everything inside; as `webpack --target node` does.
const webpack = require('webpack');

const [entry, filename] = process.argv.slice(2);
const output = { path: __dirname, filename };
webpack({ mode: 'production', target: 'node', entry, output }, (error, stats) => {
  if (error === null && !stats.hasErrors()) return;
  console.error(error ?? stats.toString({ all: false, errors: true }));
  process.exitCode = 1;
});
