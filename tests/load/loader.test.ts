import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatLocation, ModelError } from "../../src/lang/errors.js";
import * as lang from "../../src/lang/index.js";
import type { RuntimeFactory } from "../../src/lang/runtime.js";
import { createLoader, type Loader, type LoaderOptions } from "../../src/load/loader.js";
import { LoadError } from "../../src/load/refusals.js";
import { fakeFactory, fakeRuntime, type Procedure } from "./helpers.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "iommu-mc-load-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function loader(options: Partial<LoaderOptions> = {}): Loader {
  return createLoader({ lang, runtime: fakeFactory, root, cacheDir: join(root, "cache"), typecheck: false, ...options });
}

function errorOf(action: () => unknown): LoadError {
  try {
    action();
  } catch (error) {
    if (error instanceof LoadError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const place = (error: ModelError) => (error.location ? formatLocation(error.location) : "nowhere");

describe("modules", () => {
  test("import each other by .js and by .ts, once", () => {
    write("schema.ts", "export const made = { times: 1 };\n");
    write("a.ts", 'import { made } from "./schema.js";\nexport const a = made;\n');
    const path = write("b.ts", 'import { made } from "./schema.ts";\nimport { a } from "./a.js";\nexport const same = made === a;\n');
    const l = loader();
    expect(l.load(path).exports.same).toBe(true);
    expect(l.files).toEqual(["b.ts", "schema.ts", "a.ts"].map((name) => join(root, name)));
    expect(l.load(path)).toBe(l.load(path));
  });

  test("may import in a cycle", () => {
    write("even.ts", 'import { odd } from "./odd.js";\nexport function even(n: number): boolean { return n === 0 || odd(n - 1); }\n');
    const path = write(
      "odd.ts",
      'import { even } from "./even.js";\nexport function odd(n: number): boolean { return n !== 0 && even(n - 1); }\n',
    );
    const odd = loader().load(path).exports.odd as (n: number) => boolean;
    expect([odd(7), odd(8)]).toEqual([true, false]);
  });

  test("see the language as iommu-mc", () => {
    const path = write("m.ts", 'import { EBUSY, until } from "iommu-mc";\nexport const seen = [EBUSY, until];\n');
    expect(loader({ lang: { EBUSY: 16, until: "u" } }).load(path).exports.seen).toEqual([16, "u"]);
  });

  test("need no file for a type-only import of a package", () => {
    const path = write("m.ts", 'import type { Draft } from "immer";\nexport const x = 1 as unknown as Draft<number>;\n');
    expect(loader().load(path).exports.x).toBe(1);
  });

  test("can be texts", () => {
    const l = loader();
    l.loadSource("export const n = 2;\n", join(root, "virtual/schema.ts"));
    const { exports } = l.loadSource('import { n } from "./schema.js";\nexport const twice = n * 2;\n', join(root, "virtual/m.ts"));
    expect(exports.twice).toBe(4);
  });

  test("list their procedures", () => {
    write("other.ts", "export function* attach() { yield; }\n");
    const path = write(
      "m.ts",
      'import "./other.js";\nexport function* attach(dev: string) { yield; }\nexport const detach = function* () { yield; };\n',
    );
    const l = loader();
    l.load(path);
    expect([...l.procedures.keys()]).toEqual(["attach", "detach", "attach@other.ts"]);
    expect(l.procedures.get("attach")).toEqual({ name: "attach", location: { file: "m.ts", line: 2, column: 18 }, parameters: ["dev"] });
  });
});

describe("errors", () => {
  test("a missing import is located at the import", () => {
    const path = write("m.ts", 'export const a = 1;\nimport { b } from "./gone.js";\nexport const c = b;\n');
    const error = errorOf(() => loader().load(path));
    expect([error.kind, place(error), error.message]).toEqual(["missing-import", "m.ts:2:19", "there is no file ./gone.js"]);
  });

  test("a missing file is named", () => {
    expect(errorOf(() => loader().load(join(root, "gone.ts"))).message).toBe("there is no file gone.ts");
  });

  test("a syntax error is located", () => {
    const path = write("m.ts", "export const a = ;\n");
    const error = errorOf(() => loader().load(path));
    expect([error.kind, place(error)]).toEqual(["syntax", "m.ts:1:18"]);
  });

  test("an exception at the top level is located and keeps its message", () => {
    write("deep.ts", "interface Wide {\n  a: number;\n}\nexport function fail(w: Wide | null): number {\n  return w!.a;\n}\n");
    const path = write("m.ts", 'import { fail } from "./deep.js";\nexport const a = fail(null);\n');
    const error = errorOf(() => loader().load(path));
    expect([error.kind, place(error)]).toEqual(["evaluation", "deep.ts:5:13"]);
    expect(error.message).toContain("reading 'a'");
  });

  test("a ModelError thrown by the language at the top level gets a location and keeps its hint", () => {
    const path = write("m.ts", '\nimport { schema } from "iommu-mc";\nexport const s = schema();\n');
    const schema = () => {
      throw new ModelError("two fields of one name", "Rename one.");
    };
    const error = errorOf(() => loader({ lang: { schema } }).load(path));
    expect([place(error), error.message, error.hint]).toEqual(["m.ts:3:24", "two fields of one name", "Rename one."]);
  });

  test("an exception in a procedure is mapped to the model's line and column", () => {
    const text = [
      "interface Dev { domain: { id: number } | null }",
      "export function* attach(dev: Dev, unused: number) {",
      "  yield;",
      "  const before = dev.domain;",
      "  for (const n of [1]) {",
      "    yield;",
      "    dev.domain = null;   const id = n + dev.domain!.id;",
      "    return id;",
      "  }",
      "  return before;",
      "}",
      "",
    ].join("\n");
    const l = loader();
    const attach = l.load(write("m.ts", text)).exports.attach as Procedure;
    const run = attach({ domain: { id: 1 } }, 2);
    run.next();
    run.next();
    let thrown: Error | undefined;
    try {
      run.next();
    } catch (error) {
      thrown = error as Error;
    }
    expect(l.locate(thrown as Error)).toEqual({ file: "m.ts", line: 7, column: 52 });
  });

  test("loops that run while a file is loaded need no thread, and must end", () => {
    const runtime: RuntimeFactory = () => ({
      ...fakeRuntime(),
      tick: () => {
        throw new Error("no thread runs");
      },
    });
    const sum = "function sum(list: number[]) { let n = 0; for (const x of list) n += x; return n; }\n";
    const good = loader({ runtime }).loadSource(`${sum}export const s = sum([1, 2]);\n`, join(root, "good.ts"));
    expect(good.exports.s).toBe(3);
    expect(() =>
      (loader({ runtime }).loadSource(`export ${sum}`, join(root, "later.ts")).exports.sum as (list: number[]) => number)([1]),
    ).toThrow("no thread runs");
    const error = errorOf(() => loader({ runtime }).loadSource("endless();\nfunction endless() {\n  for (;;);\n}\n", join(root, "bad.ts")));
    expect([place(error), error.message]).toEqual(["bad.ts:3:3", "this loop does not end"]);
  });

  test("outside the root, locations are absolute", () => {
    const path = write("m.ts", "export const a = ;\n");
    expect(place(errorOf(() => loader({ root: join(root, "elsewhere") }).load(path)))).toBe(`${path}:1:18`);
  });
});

describe("types", () => {
  const checking = (options: Partial<LoaderOptions> = {}) => loader({ typecheck: true, ...options });

  test("errors are all listed and located", () => {
    write("schema.ts", "export interface Dev {\n  readonly id: number;\n}\n");
    const path = write(
      "m.ts",
      'import type { Dev } from "./schema.js";\nexport const a = (d: Dev) => d.idd;\nexport const b: string = 1;\n',
    );
    const error = errorOf(() => checking().load(path));
    expect([error.kind, place(error)]).toEqual(["type", "m.ts:2:32"]);
    expect(error.message).toContain("m.ts:3:14: Type 'number' is not assignable to type 'string'");
  });

  test("an error in an imported file is reported there", () => {
    write("schema.ts", 'export const n: number = "x";\n');
    const path = write("m.ts", 'import { n } from "./schema.js";\nexport const a = n;\n');
    expect(place(errorOf(() => checking().load(path)))).toBe("schema.ts:1:14");
  });

  test("the language's own types are known", () => {
    const good =
      'import { type Proc, until } from "iommu-mc";\nexport function* p(n: number): Proc<number> {\n  yield until(() => n > 0);\n  return n;\n}\n';
    expect(Object.keys(checking().loadSource(good, join(root, "good.ts")).exports)).toEqual(["p"]);
    const bad = good.replace("() => n > 0", "n");
    expect(place(errorOf(() => checking().loadSource(bad, join(root, "bad.ts"))))).toBe("bad.ts:3:15");
  });

  const calls = (statement: string) =>
    `import type { Proc } from "iommu-mc";\nfunction* f(): Proc<number> {\n  yield;\n  return 1;\n}\nexport function* p(): Proc<unknown> {\n  ${statement}\n  yield;\n  return 0;\n}\n`;

  test.each([
    "f();",
    "if (f()) return 1;",
    "if (!f()) return 1;",
    "void f();",
    "const x = 1 + (f() as unknown as number); return x;",
    "return f() ? 1 : 2;",
    "const ret = f(); if (ret) return 1;",
    "f().next();",
    "for (const x of f()) return x;",
  ])("a procedure called without yield* is refused: %s", (statement) => {
    const path = write("m.ts", calls(statement));
    const error = errorOf(() => checking().load(path));
    expect([error.location?.line, error.kind]).toEqual([7, "missing-yield-star"]);
  });

  test.each([
    "yield* f();",
    "const g = f(); yield* g;",
    "const ret = yield* f(); return ret;",
    "let g = f(); g = f(); yield* g;",
    "if (!(yield* f())) return 1;",
  ])("this is accepted: %s", (statement) => {
    expect(checking().load(write("m.ts", calls(statement))).exports.p).toBeTypeOf("function");
  });
});

describe("the cache", () => {
  test("spares the second load the compiler, and is left when the text changes", () => {
    const path = write("m.ts", "export function* p() { yield; }\n");
    loader({ typecheck: true }).load(path);
    const cache = join(root, "cache");
    const names = readdirSync(cache);
    expect(names).toHaveLength(2);

    // A forged entry shows that it is the cache that answers, and that nothing is compiled again.
    for (const name of names) {
      const entry = readFileSync(join(cache, name), "utf8");
      writeFileSync(join(cache, name), entry.replaceAll("exports.p = p", "exports.forged = p"));
    }
    expect(Object.keys(loader({ typecheck: true }).load(path).exports)).toEqual(["forged"]);
    expect(readdirSync(cache)).toEqual(names);

    write("m.ts", "export function* q() { yield; }\n");
    expect(Object.keys(loader({ typecheck: true }).load(path).exports)).toEqual(["q"]);
  });

  test("does not hide a type error that appears in an imported file", () => {
    write("schema.ts", "export const n: number = 1;\n");
    const path = write("m.ts", 'import { n } from "./schema.js";\nexport const a: number = n;\n');
    loader({ typecheck: true }).load(path);
    write("schema.ts", 'export const n: string = "1";\n');
    expect(place(errorOf(() => loader({ typecheck: true }).load(path)))).toBe("m.ts:2:14");
  });

  test("may be out of reach", () => {
    const path = write("m.ts", "export const a = 1;\n");
    const blocked = write("file", "");
    expect(loader({ cacheDir: join(blocked, "below") }).load(path).exports.a).toBe(1);
    expect(loader({ cacheDir: false }).load(path).exports.a).toBe(1);
  });
});
