import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { fail } from "../../src/cli/failure.js";
import type { JsonCheck, JsonFailure } from "../../src/report/json.js";
import { big, bin, iommuMc, root, shell, small, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();

describe("exit codes", () => {
  it.each([
    ["0 when all is as expected", ["small/holds"], 0],
    ["0 when an expected violation is there", ["small/known"], 0],
    ["1 for a vacuous property", ["small/vacuous"], 1],
    ["1 for a NULL dereference", ["small/null"], 1],
    ["1 for a property violated by a changed design", ["small/holds", "--revert", "aaaaaaaaaaaa"], 1],
    ["1 before 0 over several suites", ["small/*"], 1],
  ])("%s", async (_, [suite, ...more], code) => {
    const ended = await iommuMc(["check", small, "--suite", suite as string, ...more]);
    expect([ended.code, ended.stderr]).toEqual([code, ""]);
  });

  it.each([
    ["--max-states", "500"],
    ["--max-depth", "3"],
    ["--timeout", "0.2"],
    ["--memory", "1"],
  ])("3 when %s is hit", async (...limit) => {
    const ended = await iommuMc(["check", big, ...limit]);
    expect(ended.code).toBe(3);
    expect(ended.stdout).toMatch(/^unfinished: big\/wheels was stopped by the .*limit/);
    expect(ended.stdout).toMatch(/^UNFINISHED {3}big\/wheels · /m);
    expect(ended.stdout).not.toContain("hold");
  });

  it("commits may be abbreviated, and are told in full", async () => {
    const { stdout } = await iommuMc(["check", small, "--suite", "small/holds", "--revert", "AAAAA"]);
    expect(stdout).toContain("without aaaaaaaaaaaa");
    expect(stdout).toMatch(/--revert aaaaaaaaaaaa$/m);
  });

  it("0 for an expected violation that is gone with other faults", async () => {
    expect((await iommuMc(["check", small, "--suite", "small/known", "--faults", "0"])).code).toBe(0);
  });
});

describe("verdicts", () => {
  it("never says that something holds without design, scenario, bounds and fault policy", async () => {
    const { stdout } = await iommuMc(["check", small, "--suite", "small/holds"], { env: { COLUMNS: "400" } });
    const line = stdout.split("\n").find((text) => text.startsWith("held"));
    for (const part of ["bank-1 1.0 (test)", "2 threads (ann, bob)", "pools: entry 1", "no faults (policy contract)"]) {
      expect(line).toContain(part);
    }
    expect(stdout).toContain("two customers deposit");
  });

  it("names the commits that were taken out, and prints the trace and the command that shows it again", async () => {
    const words = ["--revert", "aaaaaaaaaaaa"];
    const { stdout } = await iommuMc(["check", small, "--suite", "small/holds", ...words]);
    expect(stdout).toContain("bank-1 1.0 (test) without aaaaaaaaaaaa");
    expect(stdout).toMatch(/^VIOLATED {2}D1 {2}every deposit counts$/m);
    expect(stdout).toMatch(/2 threads \(ann and bob\), \d changes? of thread, shortest$/m);
    expect(stdout).toMatch(/^ {5}ann +bob +│ changes$/m);
    expect(stdout).toMatch(/acc\.balance 0 → 1 +small\.ts:\d+$/m);
    expect(stdout).toMatch(/^not so +D1 for acc: the balance is 2$/m);
    expect(stdout).toMatch(/^because +acc\.balance = 1$/m);
    const replay = /^replay +iommu-mc (.*)$/m.exec(stdout)?.[1] as string;
    const shown = await shell(`"$MC" ${replay}`);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/^VIOLATED {2}D1 {2}every deposit counts$/m);
  });

  it("says of an expected violation why it is expected and how to see it; --traces all prints it", async () => {
    const known = ["check", small, "--suite", "small/known"];
    const { stdout } = await iommuMc(known);
    expect(stdout).toContain("- P1 violated, as expected: the clerk's known weakness");
    expect(stdout).toMatch(/iommu-mc replay small\/known [\d.]+ --file tests\/cli\/fixtures\/small\.ts/);
    expect(stdout).not.toMatch(/^VIOLATED/m);
    expect((await iommuMc([...known, "--traces", "all"])).stdout).toMatch(/^freed +entry0 freed at step \d by joe$/m);
  });

  it("prints the assumptions with the direction in which each errs", async () => {
    const { stdout } = await iommuMc(["check", small, "--suite", "small/holds"]);
    expect(stdout).toMatch(/these may hide a bug:\n {2}- the two CPUs see memory in one order/);
    expect(stdout).toMatch(/these may cry wolf:\n {2}- an unlucky user/);
  });

  it("is the same with either engine", async () => {
    const run = async (engine: string) => {
      const { stdout } = await iommuMc(["check", small, "--engine", engine, "--json"]);
      const { suites } = JSON.parse(stdout) as JsonCheck;
      return suites.map(({ suite, verdict, states, transitions, depth, checks }) => ({
        suite,
        verdict,
        states,
        transitions,
        depth,
        checks,
      }));
    };
    expect(await run("reference")).toEqual(await run("fast"));
  });
});

describe("what is checked", () => {
  it("--property leaves out the others, and suites without it", async () => {
    const { stdout } = await iommuMc(["check", small, "--property", "D1", "--json"]);
    const { suites } = JSON.parse(stdout) as JsonCheck;
    expect(suites.map(({ suite }) => suite)).toEqual(["small/holds", "small/vacuous"]);
    expect(suites.flatMap(({ checks }) => checks.filter(({ kind }) => kind === "property").map(({ check }) => check))).toEqual([
      "D1",
      "D1",
    ]);
  });

  it("a design and a scenario choose suites", async () => {
    const words = ["check", "bank-1", "--file", small, "--scenario", "a *", "--json"];
    const { suites } = JSON.parse((await iommuMc(words)).stdout) as JsonCheck;
    expect(suites.map(({ suite }) => suite)).toEqual(["small/known"]);
  });

  it.each([
    [["check", "linux-6.2"], "Did you mean linux-6.1?"],
    [["check", small, "--suite", "small/hods"], "Did you mean small/holds?"],
    [["check", small, "--property", "D2"], "The properties are:"],
    [["check", small, "--property", "lockdep"], "always-on check"],
    [["check", small, "--scenario", "nothing like it"], "two customers"],
    [["check", small, "--revert", "cccccccccccc"], "aaaaaaaaaaaa bank: take the lock"],
    [["check", small, "--apply", "aaaaaaaaaaaa"], "includes it already"],
    [["check", small, "--revert", "aaaaaaaaaaaa", "--apply", "bbbbbbbbbbbb"], "needs aaaaaaaaaaaa"],
    [["check", small, "--revert", "aaaaaaaaaaaa", "--apply", "aaaa"], "aaaaaaaaaaaa is to be reverted and applied"],
    [["check", "no/such/file.ts"], "there is no file no/such/file.ts"],
    [["check", "tests/cli/"], "tests/cli/ is a folder"],
    [["check", small, "--revert", "aa"], "4 or more digits"],
    [["check", small, "--faults", "many"], "whole number"],
    [["check", small, "--max-states", "0"], "1 or more"],
    [["check", small, "--engine", "slow"], "Allowed choices are fast, reference"],
    [["chek"], "Did you mean check?"],
    [["check", "--jsn"], "Did you mean --json?"],
    [["check", "linux-6.1", "and-more"], "too many arguments"],
  ])("exits with 2 and tells what there is: %j", async (words, told) => {
    const ended = await iommuMc(words);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(told);
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });
});

describe("a wrong model", () => {
  const head = 'import { type Proc, counter, design, scenario, schema, suite, thread, type View, windows, property } from "iommu-mc";\n';
  const body = (step: string, extra = "") => `${head}
const s = schema({ thing: { n: counter(1) } });
function* run(thing: View<typeof s, "thing">): Proc {
  yield;
  ${step}
}
${extra}
export const one = suite({
  name: "wrong/one",
  design: design({ name: "wrong", version: "1", schema: s, commits: {}, includes: [] }),
  scenario: scenario(s, "one", { describes: "one thread", setup: (make) => [thread("t", run, make("thing", "thing"))] }),
  properties: [],
});
`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["a syntax error", `${head}export const x = (;\n`, /wrong\.ts:2:19: /],
    ["a type error", body('thing.n = "two";'), /wrong\.ts:6:3: .*string/],
    ["a misspelt field", body("thing.m = 1;"), /wrong\.ts:6:9: /],
    ["an error at the top level", body("thing.n = 1;", 'throw new Error("no luck");'), /wrong\.ts:8:\d+: no luck/],
    ["nothing exported", `${head}export const n = 1;\n`, /exports no suite/],
    ["an import of nothing", 'import { x } from "./nowhere.js";\nexport const y = x;\n', /wrong\.ts:1:\d+: there is no file/],
    ["two suites of one name", `${body("thing.n = 1;")}export const two = { ...one };\n`, /two suites are called wrong\/one/],
  ];

  it.each(cases)("%s is located, without a stack trace", async (what, text, told) => {
    const file = write("wrong.ts", text);
    const ended = await iommuMc(["check", file], { cwd: folder });
    expect([what, ended.code, ended.stdout]).toEqual([what, 2, ""]);
    expect(ended.stderr).toMatch(told);
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });

  it("a value out of its range is a model fault with a trace", async () => {
    const file = write("range.ts", body("thing.n = thing.n + 2;"));
    const ended = await iommuMc(["check", file], { cwd: folder });
    expect(ended.code).toBe(2);
    expect(ended.stdout).toMatch(/^MODEL FAULT {2}wrong\/one/m);
    expect(ended.stdout).toMatch(/range\.ts:6/);
  });

  it("an error thrown by a setup is located", async () => {
    const file = write(
      "setup.ts",
      body("thing.n = 1;").replace("setup: (make) => [", 'setup: (make) => [(() => { throw new Error("no such device"); })(), '),
    );
    const ended = await iommuMc(["check", file], { cwd: folder });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/setup\.ts:\d+:\d+: .*no such device/);
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });

  it("with --json the error is a document too", async () => {
    const file = write("wrong.ts", `${head}export const x = (;\n`);
    const ended = await iommuMc(["check", file, "--json"], { cwd: folder });
    const { error, exitCode, command } = JSON.parse(ended.stdout) as JsonFailure;
    expect([ended.code, exitCode, command, error.kind]).toEqual([2, 2, "check", "model"]);
    expect(error.location).toEqual({ file: "wrong.ts", line: 2, column: 19 });
    const usage = JSON.parse((await iommuMc(["check", "--jsn", "--json"])).stdout) as JsonFailure;
    expect(usage.error.kind).toBe("usage");
  });
});

describe("interruption", () => {
  // Compiled beforehand, so that the run is under way when the signal comes.
  beforeAll(async () => {
    await iommuMc(["check", big, "--max-states", "10"]);
  });

  const interruptAfter = (milliseconds: number) => (child: { kill: (signal: "SIGINT") => boolean }) => {
    setTimeout(() => child.kill("SIGINT"), milliseconds);
  };

  it("ends with what is known, as unfinished", async () => {
    const ended = await iommuMc(["check", big], { whileRunning: interruptAfter(2500) });
    expect(ended.code).toBe(3);
    expect(ended.stdout).toMatch(/^unfinished: big\/wheels was stopped by an interrupt \(Ctrl-C\)/);
    expect(ended.stdout).toMatch(/^UNFINISHED/m);
  });

  it("a second Ctrl-C ends at once", async () => {
    const ended = await shell(`node tests/cli/fixtures/twice-interrupted.mjs`);
    expect(ended.stdout).toBe("130\n");
  });

  it("is said in JSON too", async () => {
    const ended = await iommuMc(["check", big, "--json"], { whileRunning: interruptAfter(2500) });
    const { suites, exitCode } = JSON.parse(ended.stdout) as JsonCheck;
    expect([ended.code, exitCode, suites[0]?.verdict, suites[0]?.end]).toEqual([3, 3, "unfinished", { limit: "interrupt" }]);
  });
});

describe("what is not the user's fault", () => {
  it("without a build it says how to make one", async () => {
    const elsewhere = write("iommu-mc.mjs", readFileSync(bin, "utf8"));
    const ended = await shell(`node ${elsewhere}`);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("npm run build")]);
  });

  it("a defect of ours is one line that asks to report it; the stack only when asked for", () => {
    const written: string[] = [];
    const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    try {
      expect(fail(new TypeError("x is not a function"), "check", false)).toBe(2);
      expect(written.join("")).toMatch(/^iommu-mc: internal error: x is not a function\n {2}This is a defect .* report it.*\n$/);
      written.length = 0;
      vi.stubEnv("IOMMU_MC_DEBUG", "1");
      fail(new TypeError("x is not a function"), "check", false);
      expect(written.join("")).toMatch(/^ +at /m);
    } finally {
      spy.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});

describe("streams", () => {
  it("a reader that has seen enough is no error", async () => {
    const ended = await shell(`"$MC" check ${small} --json | head -1; echo "\${PIPESTATUS[1]}"`);
    expect(ended.stdout).toBe("{\n0\n");
    expect(ended.stderr).toBe("");
  });

  it.each(["60", "72", "100"])("fits %s columns, but for what is to be copied", async (columns) => {
    const { stdout } = await iommuMc(["check", small, "--revert", "aaaaaaaaaaaa", "--traces", "all"], { env: { COLUMNS: columns } });
    const long = stdout.split("\n").filter((line) => [...line].length > Number(columns) && !/iommu-mc replay /.test(line));
    expect(long).toEqual([]);
  });

  it("has no colours and no progress in a pipe", async () => {
    const ended = await iommuMc(["check", small], { env: { FORCE_COLOR: "1" } });
    expect(ended.stdout).not.toContain("\x1b");
    expect(ended.stderr).toBe("");
  });

  it("works from any folder", async () => {
    const ended = await iommuMc(["check", `${root}/${small}`, "--suite", "small/holds"], { cwd: folder });
    expect(ended.code).toBe(0);
  });
});

describe("--paranoid", () => {
  it("says how much it compared, and has no use for the other engine", async () => {
    const { stdout, code } = await iommuMc(["check", small, "--suite", "small/holds", "--paranoid"]);
    expect([code, /native runs compared with the rules/.test(stdout.replace(/\s+/g, " "))]).toEqual([0, true]);
    expect((await iommuMc(["check", small, "--paranoid", "--engine", "reference"])).code).toBe(2);
  });

  it("ends a model that keeps state outside of the state with exit code 2 and a place", async () => {
    const { code, stderr, stdout } = await iommuMc(["check", "tests/cli/fixtures/hidden.ts", "--paranoid"]);
    expect([code, stdout.includes("MODEL ERROR")]).toEqual([2, true]);
    expect(stderr).toMatch(/hidden\.ts:\d+:\d+: hidden state: run natively/);
    expect((await iommuMc(["check", "tests/cli/fixtures/hidden.ts"])).code).toBe(0);
  });
});

describe("--reduce", () => {
  it("says what it came to, in the text and in the document, and has no use for the other engine", async () => {
    const { stdout, code } = await iommuMc(["check", "tests/cli/fixtures/many.ts", "--reduce"]);
    expect([code, /reduced: of \d+ paths that steps take, \d+ are fused/.test(stdout.replace(/\s+/g, " "))]).toEqual([0, true]);
    const { suites } = JSON.parse((await iommuMc(["check", small, "--suite", "small/holds", "--reduce", "--json"])).stdout) as JsonCheck;
    expect(suites.map(({ reduction }) => reduction)).toEqual([{ kind: "off", because: "there are no more than 2000 states" }]);
    expect((await iommuMc(["check", small, "--reduce", "--engine", "reference"])).code).toBe(2);
  });

  it("says what is interchangeable and what is not, and each of the reductions can be switched off", async () => {
    const alike = ["check", "tests/cli/fixtures/alike.ts", "--reduce"];
    const textOf = async (...words: string[]) => (await iommuMc([...alike, ...words], { env: { COLUMNS: "400" } })).stdout;
    const both = await textOf();
    expect(both).toMatch(
      /reduced: of \d+ paths that steps take, \d+ are fused with the step before; interchangeable: ann and bob .*, so that these states stand for \d+ states/,
    );
    expect(both).toMatch(/alike\/same .* states.*, reduced,/);
    expect(both).toMatch(
      /not interchangeable: ann and bob \(with .*\): it goes on elsewhere, deposit \(tests\/cli\/fixtures\/alike\.ts:\d+:\d+\)/,
    );
    expect(await textOf("--no-symmetry")).not.toContain("interchangeable");
    expect(await textOf("--no-fusion")).not.toContain("fused");
    expect(both).toMatch(/of \d+ fields that change, \d+ are cleared where nobody will read what they have/);
    expect(await textOf("--no-clearing")).not.toContain("cleared");
    const { suites } = JSON.parse(await textOf("--no-fusion", "--json")) as JsonCheck;
    expect(suites.map(({ reduction }) => reduction)).toEqual([
      {
        kind: "reduced",
        fusion: null,
        symmetry: { interchangeable: [expect.any(String)], standFor: expect.any(Number), isEstimate: false, lost: [] },
        clearing: { cleared: expect.any(Number), changing: expect.any(Number) },
        restarts: 0,
      },
      {
        kind: "reduced",
        fusion: null,
        symmetry: { interchangeable: [], standFor: expect.any(Number), isEstimate: false, lost: [expect.anything()] },
        clearing: { cleared: expect.any(Number), changing: expect.any(Number) },
        restarts: 0,
      },
    ]);
  });

  it.each([["--no-fusion"], ["--no-symmetry"], ["--no-clearing"], ["--reduce", "--no-fusion", "--no-symmetry", "--no-clearing"]])(
    "refuses %s",
    async (...words) => {
      const { stderr, code } = await iommuMc(["check", small, ...words]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("switch off some of the three reductions")]);
    },
  );
});

describe("--lossy", () => {
  const wheels = "tests/cli/fixtures/wheels.ts";
  const four = ["check", wheels, "--suite", "big/four-wheels", "--memory", "300"];
  const oneLine = (text: string) => text.replace(/\s+/g, " ");

  it.each([
    ["hash", "of each state 40 bits of its hash were kept", 79],
    ["bits", "each state set 5 bits of 400 M", 40],
  ])("%s never says that something holds, and how likely it is that something was omitted", async (mode, kept, columns) => {
    const { stdout, code } = await iommuMc([...four, "--lossy", mode], { env: { COLUMNS: String(columns) } });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^UNFINISHED/m);
    expect(stdout).not.toMatch(/held|hold/);
    expect(oneLine(stdout)).toContain("1,048,576 states");
    expect(oneLine(stdout)).toContain("13 always-on checks not violated, unless by a state that was omitted");
    expect(oneLine(stdout)).toContain(kept);
    expect(oneLine(stdout)).toMatch(/The probability that any was is at most \d\S* \(beside 1,048,576 states that were found/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it("tells it in the document, which is nothing to compare with", async () => {
    const { stdout, code } = await iommuMc([...four, "--lossy", "bits", "--json"]);
    const { suites } = JSON.parse(stdout) as JsonCheck;
    expect([code, suites[0]?.verdict, suites[0]?.exitCode]).toEqual([3, "unfinished", 3]);
    const { omission, checks = [] } = suites[0] ?? {};
    expect(new Set(checks.map(({ verdict }) => verdict))).toEqual(new Set(["not violated"]));
    expect(omission).toMatchObject({ mode: "bits", bitsPerState: 5, tableBytes: 50_000_000, states: 1_048_576, restarts: 0 });
    if (omission === null || omission === undefined || omission.mode === "off") throw new Error("nothing is told");
    expect(omission.expectedOmissions).toBeGreaterThan(0);
    expect(omission.probabilityOfAnyOmission).toBeCloseTo(omission.expectedOmissions, 6);
    const recorded = write("lossy.json", stdout);
    const compared = await iommuMc(["check", small, "--against", recorded]);
    expect([compared.code, oneLine(compared.stderr)]).toEqual([
      2,
      expect.stringContaining("was explored with --lossy, which proves nothing"),
    ]);
  });

  it("shows a violation by a trace that can be replayed, and need not be shortest", async () => {
    const { stdout, code } = await iommuMc(["check", wheels, "--suite", "big/watched-wheels", "--memory", "300", "--lossy", "hash"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^VIOLATED {2}H1 {2}no wheel turns three quarters$/m);
    expect(stdout).toContain("big/watched-wheels: 12 steps, 1 thread (hand0), perhaps not shortest");
    const [, path = ""] = /iommu-mc replay big\/watched-wheels (\S+)/.exec(stdout) ?? [];
    expect((await iommuMc(["replay", "--file", wheels, "big/watched-wheels", path])).code).toBe(1);
  });

  it("wants to know how large an array of bits is", async () => {
    const { stderr, code } = await iommuMc(["check", wheels, "--lossy", "bits"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("Give --memory")]);
  });

  it("is an ordinary run if there are few states", async () => {
    const { stdout, code } = await iommuMc(["check", small, "--suite", "small/holds", "--lossy", "hash"]);
    expect([code, oneLine(stdout).includes("not lossy: there are no more than 100000 states, which were kept")]).toEqual([0, true]);
  });

  it.each([
    ["--reduce"],
    ["--paranoid"],
    ["--engine", "reference"],
    ["--checkpoint", "kept"],
    ["--against", "known.json"],
    ["--cache"],
    ["--watch"],
    ["--jobs", "2"],
  ])("cannot be used with %s", async (...words) => {
    const { stderr, code } = await iommuMc(["check", small, "--lossy", "hash", ...words]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/cannot be used with/)]);
  });
});

describe("--coverage", () => {
  it("says what was not exercised, in the text and in the document, and nothing if it is not asked for", async () => {
    const { stdout, code } = await iommuMc(["check", small, "--suite", "small/holds", "--coverage"]);
    expect(stdout).toMatch(/^what this run did not exercise\n {2}\d+ of \d+ places of the model were exercised$/m);
    expect(code).toBe(0);
    const { coverage } = JSON.parse((await iommuMc(["check", small, "--coverage", "--json"])).stdout) as JsonCheck;
    expect(coverage?.suites.map(({ suite }) => suite)).toContain("small/holds");
    expect(coverage?.points).toBeGreaterThanOrEqual(coverage?.exercised ?? Number.POSITIVE_INFINITY);
    expect((await iommuMc(["check", small])).stdout).not.toContain("did not exercise");
  });
});

describe("--json", () => {
  it("has the documented shape", async () => {
    const { stdout } = await iommuMc(["check", small]);
    expect(stdout).toContain("4 suites");
    const document = JSON.parse((await iommuMc(["check", small, "--json"])).stdout) as JsonCheck;
    expect(Object.keys(document)).toEqual([
      "tool",
      "version",
      "schema",
      "command",
      "suites",
      "errors",
      "notRun",
      "against",
      "coverage",
      "exitCode",
    ]);
    expect(document).toMatchObject({ tool: "iommu-mc", schema: 1, command: "check", errors: [], notRun: [], exitCode: 1 });
    const known = document.suites.find(({ suite }) => suite === "small/known");
    expect(known).toMatchObject({
      design: "bank-1",
      version: "1.0 (test)",
      revert: [],
      apply: [],
      scenario: { name: "a clerk" },
      bounds: { threads: ["joe"], pools: { entry: 1 }, objects: { account: ["acc"] }, faults: 1, faultPolicy: "contract", limits: {} },
      engine: "fast",
      verdict: "violated",
      asExpected: true,
      exitCode: 0,
      end: "complete",
    });
    expect(known?.checks.find(({ check }) => check === "P1")).toEqual({
      check: "P1",
      kind: "property",
      verdict: "violated",
      expected: "violated",
      reason: "the clerk's known weakness",
      asExpected: true,
    });
    const [finding] = known?.findings ?? [];
    expect(finding).toMatchObject({ check: "P1", kind: "property", depth: 2, path: expect.stringMatching(/^[\d.]+$/) });
    expect(finding?.trace).toHaveLength(2);
    expect(finding?.trace[0]).toMatchObject({ step: 1, thread: "joe", held: [] });
    expect(finding?.trace[0]?.changes).toContainEqual({ cell: "acc.last", from: "NULL", to: "entry0" });
    for (const { statistics } of document.suites) {
      expect(Object.keys(statistics).sort()).toEqual(
        [
          "bytesPerState",
          "comparedNatively",
          "controlStates",
          "nativeRuns",
          "nativeShare",
          "paths",
          "seconds",
          "threads",
          "transitionsPerSecond",
          "widest",
        ].sort(),
      );
    }
  });
});

describe("help", () => {
  it.each([[], ["check"], ["simulate"], ["new"], ["list"], ["replay"], ["topology", "import"], ["ledger"]])(
    "%s %s has examples",
    async (...words) => {
      const ended = await iommuMc([...words, "--help"]);
      expect(ended.code).toBe(0);
      expect(ended.stdout).toMatch(/Examples:\n {2}\$ iommu-mc/);
    },
  );

  it("without a command is help, and wrong usage", async () => {
    const ended = await iommuMc([]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("Usage: iommu-mc");
  });
});
