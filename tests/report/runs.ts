/** Runs whose reports the tests look at. */
import { headerOf } from "../../src/cli/header.js";
import type { Reported } from "../../src/report/formats.js";
import { plain } from "../../src/report/style.js";
import { exitCodeOf, type SuiteResult, worst } from "../../src/report/verdict.js";
import { openSuites } from "../../src/session/open.js";
import { runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import { Names } from "../../src/state/names.js";

export const file = "tests/cli/fixtures/small.ts";
export const session = openSuites(file);

/** Runs a suite of the small fixture. */
export function run(name: string, ...options: [Parameters<typeof runSuiteNow>[2]?]): SuiteRun {
  return runSuiteNow(session, session.suites.find((suite) => suite.name === name)!, ...options);
}

export function resultOf(run: SuiteRun): SuiteResult {
  return { kind: "run", run };
}

/** A run in which two threads race. */
export function race(): SuiteRun {
  return run("small/holds", { variant: { revert: ["aaaaaaaaaaaa"] } });
}

export function reported(results: readonly SuiteResult[]): Reported {
  return {
    header: headerOf("check"),
    results,
    abstractions: session.abstractions,
    limits: {},
    options: { width: 100, style: plain, traces: "all", file },
    against: null,
    coverage: null,
    exitCode: worst(results.map(exitCodeOf)),
  };
}

/** The run as if all its objects, structs and threads had other names: reporters have to cope with any. */
export function renamed(run: SuiteRun, name: (position: number) => string): SuiteRun {
  const { machine } = run;
  const objects = machine.layout.schema.structs.map((struct) =>
    Array.from({ length: machine.layout.slots(struct) }, (_, slot) => name(10 + 10 * struct.number + slot)),
  );
  const names = new Names(
    machine.layout,
    objects,
    machine.names.threads.map((_, thread) => name(thread)),
  );
  const threads = machine.threads.map((thread, position) => ({ ...thread, name: name(position) }));
  const other = Object.create(machine, { names: { value: names }, threads: { value: threads } });
  return { ...run, machine: other, suite: { ...run.suite, name: name(0) } };
}

/** The run as if the search for its traces had been stopped. */
export function untraced(run: SuiteRun): SuiteRun {
  const checks = run.traces.map(({ finding }) => finding.check);
  return { ...run, traces: [], outcome: { ...run.outcome, findings: [], untraced: checks } };
}
