/** Explores a model with both engines and requires that they say the same of it. */
import { deepStrictEqual } from "node:assert";
import { exploreFast } from "../../src/explore/fast.js";
import { exploreLossy, type Lossy } from "../../src/explore/lossy.js";
import type { Outcome } from "../../src/explore/outcome.js";
import { exploreReduced, type Reductions } from "../../src/explore/reduced.js";
import { ModelError } from "../../src/lang/errors.js";
import { checksOfSuite, finish, machineOf, runSuiteNow } from "../../src/session/run-suite.js";
import type { Machine } from "../../src/step/machine.js";
import { replayFindings } from "../../src/trace/judge.js";
import { comparable, load, verdictOf } from "../support/model.js";

/** Models with more states are left out: the reference engine would take too long. */
export const MOST_STATES = 2000;

export interface Compared {
  /** `refused`: both engines say in the same words what is wrong with the model. */
  readonly kind: "compared" | "too large" | "refused";
  readonly states: number;
  /** Verdicts and checks with findings, for counting what the random models reach. */
  readonly seen: readonly string[];
}

/** Throws an AssertionError if the engines disagree, or if a finding cannot be replayed. */
export function compareEngines(text: string): Compared {
  const fast = attempt(text, "fast");
  if (typeof fast !== "string" && fast.end.kind === "limit") return { kind: "too large", states: fast.states, seen: [] };
  const reference = attempt(text, "reference");
  if (typeof fast === "string" || typeof reference === "string") {
    deepStrictEqual(fast, reference);
    return { kind: "refused", states: 0, seen: [] };
  }
  deepStrictEqual(comparable(fast), comparable(reference));
  deepStrictEqual(comparable(packedEarly(text)), comparable(fast));
  for (const { path, depth } of [...fast.findings, ...reference.findings]) deepStrictEqual(path.length, depth);
  const seen = fast.results.map(({ check, isProperty, verdict }) => (isProperty ? verdict : `${check} ${verdict}`));
  return { kind: "compared", states: fast.states, seen };
}

function attempt(text: string, engine: "fast" | "reference") {
  const { session, suite } = load(text);
  try {
    return runSuiteNow(session, suite, { engine, limits: { maxStates: MOST_STATES } }).outcome;
  } catch (error) {
    if (error instanceof ModelError && !/defect of the checker/.test(error.hint)) return error.describe();
    throw error;
  }
}

/** What the fast engine finds if it packs states anew as soon as a few are known, and again whenever something else changes. */
function packedEarly(text: string) {
  const { session, suite } = load(text);
  return finish(exploreFast(machineOf(session, suite), { packAfter: 3, goOnAfter: new Set(Object.keys(suite.expected ?? {})) }));
}

/** Explores a model whatever is violated on the way; null if it is too large, or refused. */
function exploredWhole(text: string) {
  const { session, suite } = load(text);
  const options = { goOnAfter: new Set(checksOfSuite(suite)), limits: { maxStates: MOST_STATES } };
  try {
    const machine = machineOf(session, suite);
    const plain = finish(exploreFast(machine, options));
    return plain.end.kind === "limit" ? null : { session, suite, options, plain, machine };
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

/**
 * Explores a model reduced and not, and requires that the same is found, whatever is violated on the way, and that no thread was where none
 * ever is. Returns the states of both; null if it is too large, or refused.
 */
export function compareReduced(text: string, reductions: Reductions): { readonly plain: number; readonly reduced: number } | null {
  const explored = exploredWhole(text);
  if (explored === null) return null;
  const { session, suite, options, plain } = explored;
  // Little is known when it begins, so that much turns out to be wrong.
  const early = { reduceAfter: 1 + (text.length % 40), ...(text.length % 2 === 0 ? { packAfter: 3 } : {}) };
  const machine = machineOf(session, suite);
  const reduced = finish(exploreReduced(machine, { ...options, ...early }, reductions));
  const found = ({ end, results, findings, lockOrder }: ReturnType<typeof comparable>) => ({ end, results, findings, lockOrder });
  deepStrictEqual(found(comparable(reduced)), found(comparable(plain)));
  deepStrictEqual(strayControls(machine, explored.machine), []);
  return { plain: plain.states, reduced: reduced.states };
}

/** Control states that were met in the one run of a model, and not in the other. */
export function strayControls(one: Machine, other: Machine): string[] {
  const keysOf = ({ registers }: Machine) => registers.flatMap(({ controls }, thread) => controls.map(({ key }) => `${thread} ${key}`));
  const known = new Set(keysOf(other));
  return keysOf(one).filter((key) => !known.has(key));
}

/**
 * Explores a model and forgets its states, and requires that what is found is found otherwise too and can be replayed, and that nothing
 * is said to hold. Null if the model is too large, refused, or so small that nothing was forgotten.
 */
export function compareLossy(text: string, lossy: Lossy): { readonly plain: Outcome; readonly forgetful: Outcome } | null {
  const explored = exploredWhole(text);
  if (explored === null) return null;
  const { session, suite, options, plain } = explored;
  const machine = machineOf(session, suite);
  const forgetful = finish(exploreLossy(machine, { ...options, packAfter: 3 }, lossy));
  if (forgetful.omission?.mode === "off") return null;
  for (const { path, depth } of forgetful.findings) deepStrictEqual(path.length, depth);
  replayFindings(machine, forgetful.findings);
  const isWitness = (check: string) => suite.properties.some(({ code, window }) => code === check && window.kind === "sometimes");
  for (const { check, verdict } of forgetful.results) {
    const inPlain = verdictOf(plain, check);
    if (verdict === "violated") deepStrictEqual(inPlain, verdict, check);
    else if (verdict === "holds") deepStrictEqual([inPlain, isWitness(check)], [verdict, true], check);
    else deepStrictEqual(verdict === "unfinished" || verdict === "not violated", true, check);
  }
  return { plain, forgetful };
}
