import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { asciiCommand, asciiLines, asciiOf } from "../../src/report/ascii.js";
import { MAIL_WIDTH, mailReport } from "../../src/report/mail.js";
import type { SuiteRun } from "../../src/session/run-suite.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import { grow } from "../random/grow.js";
import { load } from "../support/model.js";
import { file, race, renamed, resultOf, run } from "./runs.js";

const options = { traces: "all", file, version: "1.0" } as const;
const mail = (...runs: readonly SuiteRun[]) => mailReport(runs.map(resultOf), options);

/** What every mail has to be, whatever is in it. */
function expectMailable(text: string): void {
  expect(text.endsWith("\n")).toBe(true);
  for (const line of text.trimEnd().split("\n")) {
    expect(line.length, line).toBeLessThanOrEqual(MAIL_WIDTH);
    expect(line).toMatch(/^[ -~]*$/);
    expect(line).not.toMatch(/ $/);
    // Not a quotation, also after the indentation: with "> " before it, it would be one of somebody else.
    expect(line).not.toMatch(/^\s*[>|]/);
    // Nothing that git or a mail reader acts on begins in the first column: only titles and what goes on with a word do.
    if (/^\S/.test(line)) expect(line).toMatch(/^(iommu-mc |[^-#])/);
  }
}

describe("a mail", () => {
  it("tells what is violated, where, by whom, under which bounds, and how to see it again", () => {
    const text = mail(race());
    expectMailable(text);
    const { path } = race().traces[0]!.finding;
    for (const part of [
      "iommu-mc 1.0: D1 violated in small/holds\n\n  D1  every deposit counts\n",
      "  design    bank-1 1.0 (test), without aaaaaaaaaaaa\n",
      "  bounds    no faults (policy contract); 2 threads (ann, bob), pools: entry 1\n".slice(0, 60),
      `\n    iommu-mc replay small/holds ${path.join(".")} --file \\\n    ${file} --revert aaaaaaaaaaaa\n`,
      "  because   acc.balance = 1\n",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/^ {3}1 {2}\w+ {2}customer\(acc\) \{ +small\.ts:\d+$/m);
  });

  it("says of every step which thread takes it, unless there is but one", () => {
    const { trace } = race().traces[0]!;
    const steps = [...mail(race()).matchAll(/^ {2,3}(\d+) {2}(ann|bob) /gm)].map((match) => [Number(match[1]), match[2]]);
    expect(steps).toEqual(trace.steps.map(({ thread }, position) => [position + 1, ["ann", "bob"][thread]]));
    expect(mail(run("small/null"))).toContain("   1  auditor(acc) {");
  });

  it("tells of an expected violation why it is expected, and of what holds under which bounds", () => {
    expect(mail(run("small/known"))).toContain("  expected  P1: the clerk's known weakness\n");
    const text = mail(run("small/holds"));
    expectMailable(text);
    expect(text).toMatch(/held {9}small\/holds; [\s\S]*bank-1 1\.0 \(test\); account acc\n\s+no faults \(policy contract\)/);
  });

  it("leaves expected violations to --traces all", () => {
    expect(mailReport([resultOf(run("small/known"))], { ...options, traces: "shortest" })).not.toContain("replay with");
  });

  test("of any names stays within its lines", () => {
    const names = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 120 }), { minLength: 3, maxLength: 3 });
    const runs = [race(), run("small/known"), run("small/null"), run("small/vacuous")];
    fc.assert(
      fc.property(names, fc.nat(3), (some, which) => {
        expectMailable(mail(renamed(runs[which] as SuiteRun, (position) => `${some[position % 3]}${position}`)));
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  test("of random models stays within its lines", () => {
    let traces = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 120 }), (tape) => {
        const { session, suite } = load(grow(tape));
        try {
          const grown = runSuiteNow(session, suite, { limits: { maxStates: 500 } });
          traces += grown.traces.length;
          expectMailable(mail(grown));
        } catch (error) {
          // The model itself is refused.
          if (!(error instanceof ModelError)) throw error;
        }
      }),
      { numRuns: 60, seed: 11 },
    );
    expect(traces).toBeGreaterThan(30);
  });
});

describe("ASCII", () => {
  it("keeps the sense of what it replaces", () => {
    expect(asciiOf("a → b – “c”… é 漢")).toBe('a -> b - "c"... e <U+6F22>');
    expect(asciiOf("one · two")).toBe("one; two");
  });

  it("lines keep an arrow with what it leads from, and say where a word is broken", () => {
    expect(asciiLines("  count 0 → 1", 12, 4)).toEqual(["  count", "    0 -> 1"]);
    expect(asciiLines("abcdefghij", 6, 2)).toEqual(["abcde\\", "  fgh\\", "  ij"]);
    expect(asciiLines("x > y", 4, 1).every((line) => !line.trimStart().startsWith(">"))).toBe(true);
  });

  it("commands mean the same to a shell, however long or odd their words", () => {
    const words = fc.array(
      fc.string({ unit: "grapheme", maxLength: 100 }).map((word) => word.replaceAll("\0", "")),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(words, (some) => {
        const lines = asciiCommand(["printf", "%s\\0", ...some], 68);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(68);
        const script = lines
          .map((line, number) => (number > 0 && (lines[number - 1] as string).endsWith(" \\") ? `    ${line}` : line))
          .join("\n");
        const printed = execFileSync("bash", ["-c", script], { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } });
        expect(printed).toBe(some.map((word) => `${word}\0`).join(""));
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});
