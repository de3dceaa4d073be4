// Builds both sites, moves the pages to the root of each, compresses every file, and writes
// dist/manifest.json: what the server needs to embed and serve them.
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const kShellBudget = 250 * 1024;
const contentTypes = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
// Pages are asked for afresh each time; everything else has its content's hash in its name.
const sites = {
  trace: { "index.html": ["/", "/search", "/services", "/trace/{id}"] },
  dash: { "index.html": ["/dash"], "docs.html": ["/docs"] },
};

async function filesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort();
}

async function describe(path, site, base) {
  const name = relative(join("dist", site), path);
  const body = await readFile(path);
  const type = contentTypes[extname(path)];
  if (type === undefined) throw new Error(`no content type is known for ${path}`);
  const entry = {
    path: `${site}/${name}`,
    urls: sites[site][name] ?? [`${base}${name}`],
    contentType: type,
  };
  entry.cacheControl = name.endsWith(".html") ? "no-cache" : "public, max-age=31536000, immutable";
  entry.bytes = body.length;
  if (extname(path) !== ".woff2") {
    const gzip = gzipSync(body, { level: 9 });
    const brotli = brotliCompressSync(body, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    });
    await writeFile(`${path}.gz`, gzip);
    await writeFile(`${path}.br`, brotli);
    Object.assign(entry, {
      gzip: `${site}/${name}.gz`,
      gzipBytes: gzip.length,
      brotli: `${site}/${name}.br`,
      brotliBytes: brotli.length,
    });
  }
  return entry;
}

const manifest = { sites: {} };
await rm("dist", { recursive: true, force: true });
for (const [site, base] of [
  ["trace", "/"],
  ["dash", "/dash/"],
]) {
  await build({ mode: site, logLevel: "warn" });
  for (const page of Object.keys(sites[site]))
    await rename(`dist/${site}/${site}/${page}`, `dist/${site}/${page}`);
  await rm(`dist/${site}/${site}`, { recursive: true });
  const files = [];
  for (const path of await filesBelow(`dist/${site}`)) files.push(await describe(path, site, base));
  manifest.sites[site] = files;
  const shell = files.reduce((sum, f) => sum + (f.gzipBytes ?? f.bytes), 0);
  console.log(
    `${site}: ${files.length} files, ${(shell / 1024).toFixed(1)} KiB compressed with gzip`,
  );
  if (shell > kShellBudget) throw new Error(`${site}: the shell is above its budget of 250 KiB`);
}
await writeFile("dist/manifest.json", `${JSON.stringify(manifest, null, 1)}\n`);
await stat("dist/manifest.json");
