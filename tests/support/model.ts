/** Small models written inline in tests: loaded through the transformer like any other, explored by either engine. */
import type { Finding, Outcome, ResultVerdict } from "../../src/explore/outcome.js";
import * as lang from "../../src/lang/index.js";
import type { Suite } from "../../src/lang/suite.js";
import type { LoaderOptions } from "../../src/load/loader.js";
import { modelLoader, type Session, session } from "../../src/session/open.js";
import { machineOf, type RunSuiteOptions, runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import type { Machine, Variant } from "../../src/step/machine.js";

export const engines = ["reference", "fast"] as const;
export type Engine = (typeof engines)[number];

/** What every inline model begins with, on its first line, so that the lines of the fixture keep their numbers. */
const prelude = `import { ${Object.keys(lang).join(", ")} } from "iommu-mc"; ${[
  "export const suiteOf = (schema, { properties = [], expected = {}, commits = {}, includes = [], ...bounds }, setup) => suite({ name: 'tiny',",
  "design: design({ name: 'tiny', version: 'test', schema, commits, includes }), properties, expected,",
  "scenario: scenario(schema, 'tiny', { describes: 'a test', ...bounds, setup }) });",
  "export const claim = (code, window) => property({ code, sentence: code, source: 'test', seenRedBy: 'test', window });",
].join(" ")}`;

/** Where inline models pretend to be. */
export const MODEL_FILE = "tests/inline-model.ts";

export interface Loaded {
  readonly session: Session;
  readonly suite: Suite;
}

/**
 * Loads an inline model. It sees everything of the language without importing it, and makes its suite by
 * \`export const tiny = suiteOf(schema, { properties, pools, faults … }, (make) => [threads])\`. Its types are not checked.
 */
export function load(text: string, options: Partial<LoaderOptions> = {}): Loaded {
  const loader = modelLoader({ cacheDir: false, typecheck: false, ...options });
  const { exports } = loader.loadSource(`${prelude}${text}`, MODEL_FILE);
  const suite = exports.tiny as Suite;
  return { session: session([suite], loader), suite };
}

/** Explores an inline model to its end, findings replayed. */
export function explore(
  text: string,
  engine: Engine,
  options: RunSuiteOptions & { readonly loading?: Partial<LoaderOptions> } = {},
): SuiteRun {
  const { session, suite } = load(text, options.loading);
  return runSuiteNow(session, suite, { ...options, engine });
}

/** A fresh machine of an inline model, to be run block by block. */
export function machine(text: string, variant: Variant = {}, loading: Partial<LoaderOptions> = {}): Machine {
  const { session, suite } = load(text, loading);
  return machineOf(session, suite, variant);
}

/** Findings as a test wants to see them: what, after how many steps, on which line of the fixture. */
export function found({ findings }: Outcome): string[] {
  return findings.map(({ check, depth, location }) => `${check} @${depth}${location ? ` line ${location.line}` : ""}`).sort();
}

/** Findings and verdicts that a test can compare between the engines; order and choice among shortest traces are each engine's own. */
export function comparable({ end, states, transitions, depth, results, findings, faultedSteps, lockOrder }: Outcome) {
  return {
    end,
    states,
    transitions,
    depth,
    faultedSteps,
    results,
    lockOrder: lockOrder.map(({ held, taken }) => `${held} → ${taken}`),
    findings: findings.map((finding) => `${finding.check} ${finding.location ? `${finding.location.line}:` : ""} @${finding.depth}`).sort(),
  };
}

export function verdictOf({ results }: Outcome, check: string): ResultVerdict | undefined {
  return results.find((result) => result.check === check)?.verdict;
}

export function findingOf({ findings }: Outcome, check: string): Finding | undefined {
  return findings.find((finding) => finding.check === check);
}

/** Parts of an inline model; see \`tiny\`. */
export interface Parts {
  /** Generator functions, one per line; the first stands on line 2 of the model. */
  readonly procedures: string;
  /** Structs of the schema `s`. */
  readonly structs: string;
  /** Statements that make the objects. */
  readonly make: string;
  /** Expressions that make the threads. */
  readonly threads: string;
  /** Further entries of the suite: pools, faults, properties, expected. */
  readonly more?: string;
}

/** The text of a model made of parts. */
export function tiny({ procedures, structs, make, threads, more = "" }: Parts): string {
  return `\n${procedures.trim()}
const s = schema({ ${structs} });
export const tiny = suiteOf(s, { ${more} }, (make) => { ${make} return [${threads}]; });
`;
}
