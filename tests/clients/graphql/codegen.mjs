// Writes `made/*.ts` with the client preset, of `schema.graphql` and all of `documents/`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildASTSchema, parse } from "graphql";

const schema = parse(readFileSync("schema.graphql", "utf8"));
const documents = readdirSync("documents").map((name) => {
  const rawSDL = readFileSync(`documents/${name}`, "utf8");
  return { location: `documents/${name}`, rawSDL, document: parse(rawSDL) };
});
const sections = await preset.buildGeneratesSection({
  baseOutputDir: "made/",
  schema,
  schemaAst: buildASTSchema(schema),
  documents,
  config: {
    strictScalars: true,
    scalars: { ID64: "number | string", Isk: "string", DateTime: "string", Date: "string" },
  },
  presetConfig: { fragmentMasking: false },
  plugins: [],
  pluginMap: {},
  pluginContext: {},
});
mkdirSync("made", { recursive: true });
for (const section of sections) {
  writeFileSync(section.filename, await codegen(section));
}
