// Writes built/*.js of each viewer with OpenSeadragon inside, and the licence of OpenSeadragon beside.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";

const VIEWERS = { viewer: "image", compare: "../../lesion/frontend" };

for (const [name, folder] of Object.entries(VIEWERS)) {
  mkdirSync(`${folder}/built`, { recursive: true });
  await build({
    entryPoints: [`${folder}/${name}.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "eof",
    banner: { js: `// Built from sources with the SHA-256 ${hashSources(folder)}` },
    outfile: `${folder}/built/${name}.js`,
  });
  const licence = `${folder}/built/OPENSEADRAGON-LICENSE.txt`;
  copyFileSync("node_modules/openseadragon/LICENSE.txt", licence);
}

/** Return the hash that a test compares with the sources, so that no old build is shipped. */
function hashSources(folder) {
  const list = (place) => readdirSync(place).filter((each) => each.endsWith(".ts")).sort();
  const sources = [".", folder].flatMap((place) => list(place).map((each) => `${place}/${each}`));
  const hash = createHash("sha256");
  for (const source of ["package-lock.json", ...sources]) hash.update(readFileSync(source));
  return hash.digest("hex");
}
