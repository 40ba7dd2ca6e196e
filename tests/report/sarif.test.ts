import { join } from "node:path";
import type { Log, Result } from "sarif";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { sarifReport } from "../../src/report/sarif.js";
import type { SuiteResult } from "../../src/report/verdict.js";
import { packageRoot } from "../../src/session/open.js";
import { file, race, renamed, resultOf, run, session } from "./runs.js";

const sarif = (...results: readonly SuiteResult[]) => JSON.parse(sarifReport(results, file, "1.0.0")) as Log;
const resultsOf = (log: Log) => log.runs[0]?.results as Result[];

/** What TypeScript has against the text as a literal of the type made from the format's schema: unknown members and values count. */
function problems(text: string): string[] {
  const path = join(packageRoot(), "tests/report/literal.ts");
  const options: ts.CompilerOptions = { strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022 };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  const content = `import type { Log } from "sarif";\nexport const log: Log = ${text};`;
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, content, ts.ScriptTarget.ES2022) : read(name, ...rest);
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === path || exists(name);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

describe("SARIF", () => {
  const suite = session.suites[0]!;
  const error = new ModelError("wrong", "Mend it.", { file: "/abs/a b.ts", line: 1, column: 2 });
  const all = sarifReport(
    [
      resultOf(race()),
      resultOf(run("small/known")),
      resultOf(run("small/vacuous")),
      { kind: "error", suite, error },
      { kind: "not-run", suite },
    ],
    file,
    "1.0.0",
  );

  it("is what its schema allows", () => {
    expect(problems(all)).toEqual([]);
    // The test can fail: neither a member nor a value that the schema does not know passes.
    expect(problems(all.replace('"kind": "fail"', '"kind": "failed"'))).not.toEqual([]);
    expect(problems(all.replace('"ruleIndex"', '"ruleNumber"'))).not.toEqual([]);
  });

  it("has a result where the last step stands, with the trace by threads", () => {
    const [result] = resultsOf(sarif(resultOf(race()))) as [Result];
    expect(result).toMatchObject({ ruleId: "D1", ruleIndex: 0, level: "error" });
    expect(result.suppressions).toBeUndefined();
    const place = result.locations?.[0]?.physicalLocation;
    expect(place?.artifactLocation).toEqual({ uri: file, uriBaseId: "%SRCROOT%" });
    expect(place?.region?.startLine).toBeGreaterThan(30);
    const flows = result.codeFlows?.[0]?.threadFlows ?? [];
    expect(flows.map(({ id }) => id)).toEqual(["ann", "bob"]);
    const order = flows.flatMap(({ locations }) => locations.map(({ executionOrder }) => executionOrder as number));
    const { trace } = race().traces[0]!;
    expect([...order].sort((one, other) => one - other)).toEqual(trace.steps.map((_, position) => position + 1));
    expect(result.message.text).toContain("iommu-mc replay small/holds");
  });

  it("every rule that a result names is described", () => {
    const log = sarif(resultOf(race()), resultOf(run("small/null")), resultOf(run("small/known")));
    const rules = log.runs[0]?.tool.driver.rules ?? [];
    expect(resultsOf(log).map(({ ruleId, ruleIndex }) => rules[ruleIndex as number]?.id === ruleId)).toEqual([true, true, true]);
    expect(rules.find(({ id }) => id === "D1")?.shortDescription?.text).toBe("every deposit counts");
  });

  it("suppresses what is expected, and says why", () => {
    const [result] = resultsOf(sarif(resultOf(run("small/known")))) as [Result];
    expect(result).toMatchObject({
      level: "note",
      suppressions: [{ kind: "external", status: "accepted", justification: "the clerk's known weakness" }],
    });
  });

  it("tells what is no result", () => {
    const { invocations } = (JSON.parse(all) as Log).runs[0]!;
    expect(invocations?.[0]?.executionSuccessful).toBe(false);
    const texts = invocations?.[0]?.toolExecutionNotifications?.map(({ message }) => message.text);
    expect(texts).toEqual(["small/vacuous: V1 was never put to the test", "small/holds: wrong\nMend it.", "small/holds was not run"]);
    const [, wrong] = invocations?.[0]?.toolExecutionNotifications ?? [];
    expect(wrong?.locations?.[0]?.physicalLocation?.artifactLocation?.uri).toBe("file:///abs/a%20b.ts");
    const limited = sarif(resultOf(run("small/holds", { limits: { maxStates: 3 } })));
    expect(limited.runs[0]?.invocations?.[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ level: "warning" }],
    });
  });

  it("knows a finding again when the path to it has changed, and not when its name has", () => {
    const prints = (result: SuiteResult) => resultsOf(sarif(result)).map(({ partialFingerprints }) => partialFingerprints);
    const other = race();
    const moved = { ...other, traces: other.traces.map((found) => ({ ...found, finding: { ...found.finding, path: [9, 9] } })) };
    expect(prints(resultOf(moved))).toEqual(prints(resultOf(race())));
    expect(prints(resultOf(renamed(race(), String)))).not.toEqual(prints(resultOf(race())));
  });
});
