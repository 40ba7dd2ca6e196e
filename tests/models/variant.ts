/** The bundled suites, with edits of a model file, run in a variant. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { ResultVerdict } from "../../src/explore/outcome.js";
import type { Suite } from "../../src/lang/suite.js";
import { bundledSuites, modelLoader, packageRoot, type Session, session } from "../../src/session/open.js";
import { runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import type { Variant } from "../../src/step/machine.js";
import type { Edit } from "./mutants.js";

// A folder of its own, so that mutants never get into the cache of the project.
const cacheDir = mkdtempSync(join(tmpdir(), "iommu-mc-mutants-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

/** The bundled suites, after the edits of one file. Throws if an edit's text does not occur exactly once. */
export function openBundled(file?: string, edits: readonly Edit[] = []): Session {
  const loader = modelLoader({ cacheDir, typecheck: false, root: packageRoot() });
  if (file !== undefined) {
    const path = join(packageRoot(), file);
    loader.loadSource(mutated(readFileSync(path, "utf8"), file, edits), path);
  }
  return session(loader.load(bundledSuites()).exports.suites as Suite[], loader);
}

function mutated(text: string, file: string, edits: readonly Edit[]): string {
  return edits.reduce((before, { find, replace }) => {
    const parts = before.split(find);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what is to be replaced: ${find}`);
    return parts.join(replace);
  }, text);
}

export function suiteOf({ suites }: Session, name: string): Suite {
  const suite = suites.find((one) => one.name === name);
  if (!suite) throw new Error(`there is no suite ${name}`);
  return suite;
}

/** The suite with only some of its properties, and nothing expected of them. */
export function asking(suite: Suite, codes: readonly string[]): Suite {
  return { ...suite, properties: suite.properties.filter(({ code }) => codes.includes(code)), expected: {} };
}

/** The suite, which goes on when the checks are violated. */
export function despite(suite: Suite, checks: readonly string[]): Suite {
  const others = checks.map((check) => [check, { verdict: "violated", reason: "it turns red in fewer steps" }] as const);
  return { ...suite, expected: { ...suite.expected, ...Object.fromEntries(others) } };
}

export function withoutThreads(suite: Suite, names: readonly string[]): Suite {
  const { scenario } = suite;
  return { ...suite, scenario: { ...scenario, setup: (make) => scenario.setup(make).filter(({ name }) => !names.includes(name)) } };
}

export function run(session: Session, suite: Suite, variant: Variant = {}): SuiteRun {
  return runSuiteNow(session, suite, { variant });
}

/** Codes and names of what has the verdict, sorted. */
export function having({ outcome }: SuiteRun, verdict: ResultVerdict): string[] {
  return outcome.results
    .filter((result) => result.verdict === verdict)
    .map(({ check }) => check)
    .sort();
}
