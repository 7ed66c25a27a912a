// Writes built/viewer.js with OpenSeadragon inside, and the licence of OpenSeadragon beside it.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync } from "node:fs";
import { build } from "esbuild";

// A test compares this hash with the sources, so that no old build is shipped.
const SOURCES = ["controls.ts", "layers.ts", "package-lock.json", "stage.ts", "viewer.ts"];
const hash = createHash("sha256");
for (const name of SOURCES) hash.update(readFileSync(name));

await build({
  entryPoints: ["viewer.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "eof",
  banner: { js: `// Built from sources with the SHA-256 ${hash.digest("hex")}` },
  outfile: "built/viewer.js",
});
copyFileSync("node_modules/openseadragon/LICENSE.txt", "built/OPENSEADRAGON-LICENSE.txt");
