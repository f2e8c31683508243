// Bundles the page into dist/: index.html, assets/app.js, assets/app.css, assets/world.json.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';

const out = process.argv[2] ?? 'dist';

await mkdir(`${out}/assets`, { recursive: true });
await build({
  entryPoints: { app: 'src/main.js' },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2020',
  outdir: `${out}/assets`,
  legalComments: 'linked', // licences of what is bundled stand beside it, in app.js.LEGAL.txt
  logLevel: 'warning',
});
await copyFile('src/index.html', `${out}/index.html`);
await copyFile('node_modules/world-atlas/countries-110m.json', `${out}/assets/world.json`);
