import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { githubReport } from "../../src/report/github.js";
import { file, race, renamed, resultOf, run, session } from "./runs.js";

/** A workflow command as the runner reads it. */
function parse(line: string): { level: string; properties: Record<string, string>; message: string } {
  const match = /^::(\w+) ([^:]*)::(.*)$/.exec(line);
  if (match === null) throw new Error(`no workflow command: ${line}`);
  const [, level, told, message] = match as unknown as [string, string, string, string];
  const decoded = (text: string) =>
    text.replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
  const properties = Object.fromEntries(
    told.split(",").map((each) => [each.slice(0, each.indexOf("=")), decoded(each.slice(each.indexOf("=") + 1))]),
  );
  return { level, properties, message: decoded(message) };
}

const annotations = (...results: Parameters<typeof githubReport>[0]) =>
  githubReport(results, file)
    .split("\n")
    .filter((line) => line !== "")
    .map(parse);

describe("GitHub annotations", () => {
  it("put a violation where its last step stands", () => {
    const [only, ...others] = annotations(resultOf(race()));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ level: "error", properties: { file, title: "D1 violated in small/holds" } });
    expect(Number(only?.properties.line)).toBeGreaterThan(30);
    expect(only?.message).toContain("D1  every deposit counts\n");
    expect(only?.message).toMatch(/iommu-mc replay small\/holds [\d.]+ --file .* --revert aaaaaaaaaaaa$/);
  });

  it("take note of an expected violation", () => {
    expect(annotations(resultOf(run("small/known")))).toMatchObject([
      { level: "notice", message: expect.stringContaining("expected: the clerk's") },
    ]);
  });

  it("are silent where all holds", () => expect(githubReport([resultOf(run("small/holds"))], file)).toBe(""));

  it("tell what is not decided, and a model at fault", () => {
    expect(annotations(resultOf(run("small/vacuous")))).toMatchObject([{ level: "error", properties: { title: "V1 in small/vacuous" } }]);
    expect(annotations(resultOf(run("small/holds", { limits: { maxStates: 3 } })))).toMatchObject([{ level: "warning" }]);
    const suite = session.suites[0]!;
    const error = new ModelError("100% wrong", "Mend it,\nnow.", { file: "a,b:c.ts", line: 3, column: 4 });
    expect(annotations({ kind: "error", suite, error }, { kind: "not-run", suite })).toEqual([
      {
        level: "error",
        properties: { file: "a,b:c.ts", line: "3", col: "4", title: "the model of small/holds is at fault" },
        message: "100% wrong\nMend it,\nnow.",
      },
      { level: "warning", properties: { title: "small/holds was not run" }, message: "interrupted before its turn" },
    ]);
  });

  it("cope with any name", () => {
    const odd = renamed(race(), (position) => `100%, ::error::\r\n${position}`);
    expect(annotations(resultOf(odd))[0]?.properties.title).toBe("D1 violated in 100%, ::error::\r\n0");
  });
});
