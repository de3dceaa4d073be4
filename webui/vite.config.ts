import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// One configuration, two sites: `vite build --mode trace` gives the trace UI, served at the root of
// the query server; `--mode dash` gives the dashboard and the API's reference page, whose files live
// under /dash/ on the API. Every address in the output is absolute, because both sites have deep links.
const sites = {
  trace: { base: "/", pages: { index: "trace/index.html" } },
  dash: { base: "/dash/", pages: { index: "dash/index.html", docs: "dash/docs.html" } },
} as const;

export default defineConfig(({ mode }) => {
  const site = mode === "dash" ? "dash" : "trace";
  return {
    root: ".",
    base: sites[site].base,
    plugins: [react()],
    worker: { format: "es" },
    build: {
      outDir: `dist/${site}`,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      target: "es2022",
      rollupOptions: { input: sites[site].pages },
    },
    test: { include: ["src/**/*.test.ts"], environment: "node" },
  };
});
