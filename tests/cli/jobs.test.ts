/** Suites on several threads: as the main thread sees those beside it, and as a user does. */
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SuiteWorkers } from "../../src/cli/suite-workers.js";
import type { JsonCheck } from "../../src/report/json.js";
import { fingerprint, openSuites } from "../../src/session/open.js";
import { type Explored, runSuiteNow } from "../../src/session/run-suite.js";
import { iommuMc, root, small } from "./helpers.js";

// Threads are started from what has been built.
const { SuiteWorkers: Workers } = (await import(
  join(root, "dist/cli/suite-workers.js")
)) as typeof import("../../src/cli/suite-workers.js");

const session = openSuites(join(root, small));
const names = session.suites.map(({ name }) => name);
const job = {
  file: session.file,
  code: fingerprint(session),
  coverage: false,
  suites: names.map((name) => ({ name })),
  property: null,
  options: {},
  cache: null,
};

const open: SuiteWorkers[] = [];
afterEach(async () => {
  for (const workers of open.splice(0)) await workers.close();
});

function begin(changes: Partial<typeof job> = {}): SuiteWorkers {
  const workers = new Workers(2);
  open.push(workers);
  workers.begin({ ...job, ...changes }, 0);
  return workers;
}

async function answer(workers: SuiteWorkers, position: number) {
  const asking = workers.answerOf(position);
  for (;;) {
    const { done, value } = await asking.next();
    if (done) return value;
  }
}

/** What does not depend on the clock. */
function seen({ outcome }: Pick<Explored, "outcome">) {
  const { statistics: _, findings, ...rest } = outcome;
  return { ...rest, findings: findings.map(({ check, path }) => ({ check, path })) };
}

describe("a thread beside the main one", () => {
  it("finds out what the main thread would", async () => {
    const workers = begin();
    for (const [position, suite] of session.suites.entries()) {
      const told = await answer(workers, position);
      if (told?.kind === "explored") expect(seen(told.explored)).toEqual(seen(runSuiteNow(session, suite)));
      else expect(() => runSuiteNow(session, suite)).toThrow(told?.error.message ?? "an answer");
    }
    expect(names.length).toBeGreaterThan(2);
  });

  it("explores a large suite with those that have none", async () => {
    const large = openSuites(join(root, "tests/cli/fixtures/large.ts"));
    const workers = begin({ file: large.file, code: fingerprint(large), suites: [{ name: "big/four" }] });
    workers.rest();
    const told = await answer(workers, 0);
    if (told?.kind !== "explored") throw new Error(told?.kind);
    expect(told.explored.outcome).toMatchObject({ states: 32 ** 4, transitions: 8 * 32 ** 4, depth: 4 * 16, statistics: { threads: 2 } });
    // The other one is given back; this one has none left either.
    await vi.waitFor(() => expect(Atomics.load(workers.idle as Int32Array, 0)).toBe(2));
  });

  it("leaves alone what the main thread has taken", async () => {
    const workers = begin();
    expect(workers.take(0)).toBe(true);
    expect(workers.take(0)).toBe(false);
    await answer(workers, names.length - 1);
    expect(workers.take(names.length - 1)).toBe(false);
  });

  it("takes nothing if its code is not the main thread's", async () => {
    const workers = begin({ code: "other" });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(names.map((_, position) => workers.take(position))).toEqual(names.map(() => true));
  });

  it("is not missed when it is gone", async () => {
    const workers = begin({ code: "other" });
    const asked = answer(workers, 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await workers.close();
    expect(await asked).toBe(null);
  });
});

describe("--jobs", () => {
  it("changes nothing but the time", async () => {
    const [one, two] = await Promise.all(
      ["1", "2"].map(async (jobs) => {
        const { stdout, code } = await iommuMc(["check", "linux-6.1", "--suite", "ownership/*", "--jobs", jobs, "--json"]);
        const { suites } = JSON.parse(stdout) as JsonCheck;
        return { code, suites: suites.map(({ statistics: _, ...suite }) => suite) };
      }),
    );
    expect(two).toEqual(one);
  });

  it("has a thread that finds no suite left explore the last with the other", async () => {
    // As many states as take longer than a thread takes to start.
    const words = ["check", "tests/cli/fixtures/uneven.ts", "--jobs", "2", "--max-states", "6000000", "--json"];
    const { stdout } = await iommuMc(words);
    const { suites } = JSON.parse(stdout) as JsonCheck;
    expect(suites.map(({ suite, end, statistics: { threads } }) => ({ suite, end, threads }))).toEqual([
      { suite: "big/one", end: "complete", threads: 1 },
      { suite: "big/wheels", end: { limit: "states" }, threads: 2 },
    ]);
  });

  it("is a number, 1 or more", async () => {
    const { code, stderr } = await iommuMc(["check", small, "--jobs", "0"]);
    expect(code).toBe(2);
    expect(stderr).toContain("It is a whole number, 1 or more.");
  });
});
