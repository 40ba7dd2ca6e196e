import { describe, expect, test } from "vitest";
import { modelLoader } from "../../src/session/open.js";
import { load, tiny } from "../support/model.js";

const text = `import { type Proc } from "iommu-mc";
/** A number. */
const most = 3;
function double(n: number): number { return 2 * n; }
export function* walk(n: number): Proc<number> { yield; return double(n) + most; }
export const idle = function* (): Proc { yield; };
export const inline = (n: number) => double(n) + 1;
`;

function partsOf(source: string) {
  const loader = modelLoader({ cacheDir: false, typecheck: false });
  loader.loadSource(source, "parts.ts");
  const { outside, functions } = loader.parts();
  return { outside, functions: [...functions] };
}

/** Numbers of the functions whose hash is another, or "outside". */
function changedBy(edit: (source: string) => string): readonly (number | "outside")[] {
  const [before, after] = [partsOf(text), partsOf(edit(text))];
  expect(edit(text)).not.toBe(text);
  const changed = before.functions.flatMap(([key, hash], number) =>
    after.functions[number]?.join() === [key, hash].join() ? [] : [number],
  );
  return before.outside === after.outside ? changed : ["outside", ...changed];
}

describe("a file in parts", () => {
  test.each([
    ["the body of a function", "2 * n", "3 * n", [0]],
    ["the body of a procedure", "+ most;", "- most;", [1]],
    ["that of a procedure in a constant", "(): Proc { yield; }", "(): Proc { yield; yield; }", [2]],
    ["a comment in a body, for the places behind it", "yield; return", "yield; /* here */ return", [1]],
    ["a constant", "most = 3", "most = 4", ["outside"]],
    ["an arrow in a constant", "double(n) + 1", "double(n) + 2", ["outside"]],
    ["a parameter's default", "walk(n: number)", "walk(n = 1)", ["outside"]],
    ["a new function", "const most", "function more() {}\nconst most", ["outside", 0, 1, 2]],
    ["a name", "function* walk", "function* run", ["outside"]],
    ["nothing: a comment outside", "/** A number. */", "/** Another. */", []],
    ["nothing: layout outside", "const most = 3", "\n\nconst most  =  3", []],
  ])("%s", (_, before, after, changed) => {
    expect(changedBy((source) => source.replace(before, after))).toEqual(changed);
  });

  test("what is entered is told, and nothing else", () => {
    const loader = modelLoader({ cacheDir: false, typecheck: false });
    const { inline } = loader.loadSource(text, "parts.ts").exports as { inline: (n: number) => number };
    expect([...loader.entered]).toEqual([]);
    expect(inline(2)).toBe(5);
    expect([...loader.entered]).toEqual(["parts.ts#0"]);
  });

  test("what a model calls while it is loaded counts", () => {
    const { session } = load(
      tiny({
        procedures: "function one() { return 1; } const n = one(); function* t(b) { yield; }",
        structs: "box: { n: counter(1) }",
        make: `const b = make("box", "b");`,
        threads: `thread("t", t, b)`,
      }),
    );
    expect([...session.enteredAtLoad]).toHaveLength(1);
  });
});
