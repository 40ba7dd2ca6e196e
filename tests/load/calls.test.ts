import { describe, expect, it } from "vitest";
import { openSuites } from "../../src/session/open.js";
import { temporaryFolder } from "../cli/helpers.js";
import { load, tiny } from "../support/model.js";

const { write } = temporaryFolder();

describe("calls", () => {
  it("are those of functions by their names, each once, wherever they stand in the caller", () => {
    const text = tiny({
      structs: "box: { n: counter(3) }",
      make: `const d = make("box", "d");`,
      threads: `thread("t", outer, d)`,
      procedures: `function* outer(d) { yield; yield* inner(d); if (d.n === 1) yield* inner(d); [1].forEach(() => plain(d)); }
function* inner(d) { yield; plain(d); const plain2 = (x) => x; plain2(d); }
function plain(d) { d.n = 1; }`,
    });
    const { functions, calls } = load(text).session.calls();
    expect(functions.map(({ name, isProcedure }) => `${name}${isProcedure ? "*" : ""}`)).toEqual(["outer*", "inner*", "plain"]);
    const short = (id: string) => id.replace(/^.*:/, "");
    expect(calls.map(({ caller, callee, location }) => `${short(caller)} ${short(callee)} ${location.line}`)).toEqual([
      "outer inner 2",
      "outer plain 2",
      "inner plain 3",
    ]);
  });

  it("lead into other files, under the name a function has there", () => {
    write("other.ts", `import type { Proc } from "iommu-mc";\nexport function* work(): Proc {\n  yield;\n}\n`);
    const path = write(
      "main.ts",
      `import { counter, design, type Proc, scenario, schema, suite, thread } from "iommu-mc";
import { work as toil } from "./other.js";
const s = schema({ box: { n: counter(1) } });
function* work(): Proc { yield* toil(); }
const d = design({ name: "d", version: "1", schema: s, commits: {}, includes: [] });
export const suites = [suite({ name: "s", design: d, properties: [], scenario: scenario(s, "s", { describes: "s", setup: (make) => { make("box", "b"); return [thread("t", work)]; } }) })];
`,
    );
    const { calls } = openSuites(path, { typecheck: false, cacheDir: false }).calls();
    expect(calls.map(({ caller, callee }) => [caller, callee].map((id) => id.replace(/^.*\//, "")))).toEqual([
      ["main.ts:work", "other.ts:work"],
    ]);
  });
});
