/** The rules of the house that a machine can check. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { Property } from "../src/lang/property.js";
import { bundledSuites, modelLoader, openSuites, packageRoot } from "../src/session/open.js";

const root = packageRoot();

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

function text(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** Files that a file imports by relative path, and packages it imports by name. `import type` counts too. */
function imports(file: string): { readonly files: string[]; readonly packages: string[] } {
  const specifiers = [...text(file).matchAll(/^(?:import|export)[^;]*?from "([^"]+)"/gms)].map((match) => match[1] as string);
  const isRelative = (specifier: string) => specifier.startsWith(".");
  return {
    files: specifiers
      .filter(isRelative)
      .map((specifier) => relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, ".ts")),
    packages: specifiers.filter((specifier) => !isRelative(specifier)),
  };
}

/** What each layer of src may import besides itself. */
const layers: Readonly<Record<string, readonly string[]>> = {
  lang: [],
  load: ["lang"],
  state: ["lang"],
  step: ["lang", "state"],
  check: ["lang", "state", "step"],
  explore: ["lang", "state", "step", "check"],
  certify: ["lang", "state", "step", "check"],
  trace: ["lang", "state", "step", "check", "explore"],
  audit: ["lang", "state", "step", "check", "explore", "trace"],
  ftrace: ["lang", "load", "state", "step", "check", "explore", "trace"],
  session: ["lang", "load", "state", "step", "check", "explore", "trace", "audit", "ftrace", "certify"],
  report: ["lang", "state", "step", "check", "certify", "explore", "trace", "audit", "ftrace", "session"],
  cli: ["lang", "load", "state", "step", "check", "explore", "trace", "audit", "ftrace", "certify", "session", "report"],
};

describe("layers", () => {
  it.each(Object.keys(layers))("src/%s imports only what lies below it", (layer) => {
    const allowed = [layer, ...(layers[layer] as readonly string[])];
    for (const file of sources(`src/${layer}`)) {
      for (const imported of imports(file).files) {
        const [top, folder] = imported.split("/");
        expect([file, top, allowed.includes(folder as string)]).toEqual([file, "src", true]);
      }
    }
  });

  it("src has no folder that is not a layer", () => {
    const folders = new Set(sources("src").map((file) => file.split("/")[1]));
    expect([...folders].sort()).toEqual(Object.keys(layers).sort());
  });

  it("models import the language and models only", () => {
    for (const file of sources("models")) {
      const { files, packages } = imports(file);
      expect([file, packages.filter((name) => name !== "iommu-mc")]).toEqual([file, []]);
      expect([file, files.filter((name) => !name.startsWith("models/"))]).toEqual([file, []]);
    }
  });

  it("properties import the language, properties and a model's schema only", () => {
    for (const file of sources("properties")) {
      const { files, packages } = imports(file);
      expect([file, packages.filter((name) => name !== "iommu-mc")]).toEqual([file, []]);
      expect([file, files.filter((name) => !name.startsWith("properties/") && !/^models\/[^/]+\/schema\.ts$/.test(name))]).toEqual([
        file,
        [],
      ]);
    }
  });
});

describe("suites", () => {
  const { suites } = openSuites(bundledSuites());

  it("every property is in a suite", () => {
    const loader = modelLoader();
    const checked = new Set(suites.flatMap(({ properties }) => properties.map(({ code }) => code)));
    const declared = sources("properties").flatMap((file) =>
      Object.values(loader.load(join(root, file)).exports)
        .flat()
        .filter(isProperty),
    );
    expect(declared.length).toBeGreaterThan(0);
    for (const { code } of declared) expect(checked).toContain(code);
  });

  it("every model file is used by a suite, or for recordings", () => {
    const reached = new Set<string>();
    const follow = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const imported of imports(file).files) follow(imported);
    };
    follow("reports/suites/index.ts");
    follow("models/linux/machine/recorded.ts");
    expect(sources("models").filter((file) => !reached.has(file))).toEqual([]);
  });

  it("every property says where it comes from and what turned it red", () => {
    for (const { code, sentence, source, seenRedBy } of suites.flatMap(({ properties }) => properties)) {
      expect([code, sentence.length > 10, source.length > 5, seenRedBy.length > 5]).toEqual([code, true, true, true]);
    }
  });

  it("every expected violation says why", () => {
    for (const { name, expected } of suites) {
      for (const [check, { reason }] of Object.entries(expected ?? {}))
        expect([name, check, reason.length > 20]).toEqual([name, check, true]);
    }
  });
});

describe("source files", () => {
  const ours = ["src", "models", "properties", "reports", "tests"].flatMap(sources);

  it("are short enough to be read in one go", () => {
    // Lists are looked things up in.
    const lists = ["reports/corpus/entries.ts", "models/linux/commits.ts"];
    for (const file of ours.filter((name) => !lists.includes(name)))
      expect([file, text(file).split("\n").length <= 620]).toEqual([file, true]);
  });

  it("leave nothing unfinished or switched off", () => {
    // Written in pieces, so that this file does not find itself.
    const unfinished = new RegExp(["TO", "DO|FIX", "ME|not impl", "emented|\\.(?:on", "ly|sk", "ip|to", "do)\\("].join(""));
    for (const file of ours) expect([file, unfinished.exec(text(file))?.[0]]).toEqual([file, undefined]);
  });

  it("of src say on top or at each export what they are for", () => {
    for (const file of sources("src")) expect([file, text(file).includes("/**")]).toEqual([file, true]);
  });

  it("of the engine print nothing", () => {
    for (const file of sources("src").filter((name) => !name.startsWith("src/cli/")))
      expect([file, /\bconsole\./.test(text(file))]).toEqual([file, false]);
  });

  it("declare nothing as any", () => {
    for (const file of sources("src")) {
      const suspicious = text(file)
        .split("\n")
        .filter((line) => /(:|as|<) any\b/.test(line) && !/^\s*(\/\/|\*)/.test(line));
      expect([file, suspicious.filter((line) => !line.includes("export type Predicate"))]).toEqual([file, []]);
    }
  });
});

function isProperty(value: unknown): value is Property {
  return typeof value === "object" && value !== null && "window" in value && "seenRedBy" in value;
}
