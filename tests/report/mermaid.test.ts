import fc from "fast-check";
import mermaid from "mermaid";
import { describe, expect, it, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { sequenceDiagram } from "../../src/report/mermaid.js";
import { byPath } from "../../src/report/shown.js";
import { runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import { grow } from "../random/grow.js";
import { explore, load, tiny } from "../support/model.js";
import { race, renamed, run } from "./runs.js";

const diagrams = (run: SuiteRun) => byPath(run.traces).map((shown) => sequenceDiagram(run, shown).join("\n"));

/** Throws what Mermaid has against it. */
async function expectValid(diagram: string): Promise<void> {
  expect(await mermaid.parse(diagram)).toMatchObject({ diagramType: "sequence" });
}

describe("a sequence diagram", () => {
  it("has a participant for each thread, and the violated sentence last", async () => {
    const [diagram = ""] = diagrams(race());
    await expectValid(diagram);
    const lines = diagram.split("\n").map((line) => line.trim());
    expect(lines).toContain("participant T0 as ann");
    expect(lines).toContain("participant T1 as bob");
    expect(lines.at(-1)).toBe("Note over T0,T1: VIOLATED D1 every deposit counts<br/>acc.balance = 1");
    expect(lines.filter((line) => line.includes("->>"))).toHaveLength(race().traces[0]!.trace.steps.length);
  });

  it("shows who holds a lock as active, to the end if it is never given back", async () => {
    const text = tiny({
      structs: "box: { a: mutex(), b: mutex(), n: counter(3) }",
      make: `const d = make("box", "d");`,
      threads: `thread("t", t, d), thread("u", u, d)`,
      procedures: `function* t(d) { yield* mutex_lock(d.a); yield* mutex_lock(d.b); mutex_unlock(d.b); yield; d.n = 1; WARN_ON(true, "held"); yield; mutex_unlock(d.a); }
function* u(d) { yield; if (d.n === 0) d.n = 2; }`,
    });
    for (const diagram of diagrams(explore(text, "fast"))) {
      await expectValid(diagram);
      const count = (word: string) => diagram.split("\n").filter((line) => line.trim().startsWith(word)).length;
      expect(count("activate")).toBe(count("deactivate"));
      if (diagram.includes("warn-on")) expect(count("activate")).toBeGreaterThan(0);
    }
  });

  it("of a path of no steps is valid", async () => {
    const { machine, suite } = race();
    await expectValid(
      sequenceDiagram({ machine, suite }, { path: [], trace: { steps: [], states: [machine.initial] }, findings: [] }).join("\n"),
    );
  });

  test("of any names is valid", async () => {
    const runs = [race(), run("small/known"), run("small/null")];
    const name = fc.oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.constantFrom("wrap: x", "end", "%%{init", "a;b#c", "<br>", "`x`", "@{", "as", "\u2028"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 3, maxLength: 3 }), fc.nat(2), async (some, which) => {
        for (const diagram of diagrams(renamed(runs[which] as SuiteRun, (position) => some[position % 3] as string)))
          await expectValid(diagram);
      }),
      { numRuns: 150, seed: 9 },
    );
  });

  test("of random models is valid", async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1000), { maxLength: 120 }), async (tape) => {
        const { session, suite } = load(grow(tape));
        try {
          for (const diagram of diagrams(runSuiteNow(session, suite, { limits: { maxStates: 500 } }))) {
            count++;
            await expectValid(diagram);
          }
        } catch (error) {
          // The model itself is refused.
          if (!(error instanceof ModelError)) throw error;
        }
      }),
      { numRuns: 60, seed: 13 },
    );
    expect(count).toBeGreaterThan(30);
  });
});
