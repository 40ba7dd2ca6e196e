/** Claims against the suites that decide them: what each rests on, and how it comes out. */
import type { Audit } from "../audit/audit.js";
import type { AuditEvidence, CheckEvidence, Claim, Evidence } from "../lang/claim.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import type { Replayed } from "../trace/judge.js";
import type { Session } from "./open.js";
import { shortestOf, verdictIn } from "./rediscovery.js";
import { checksOfSuite, type ExitCode, type SuiteRun } from "./run-suite.js";

/** Evidence with the suites that it names. */
export type Asked =
  | { readonly kind: "check"; readonly evidence: CheckEvidence; readonly suite: Suite }
  | { readonly kind: "audit"; readonly evidence: AuditEvidence; readonly suites: readonly [a: Suite, b: Suite] };

/** Evidence with what was found. */
export type Found =
  | { readonly kind: "check"; readonly evidence: CheckEvidence; readonly run: SuiteRun }
  | { readonly kind: "audit"; readonly evidence: AuditEvidence; readonly suites: readonly [a: Suite, b: Suite]; readonly audit: Audit }
  /** Interrupted before its turn, or its model is at fault. */
  | { readonly kind: "none"; readonly evidence: Evidence; readonly isFault: boolean };

/** What a claim turns out to be. Of the last two nothing is known: something was never put to the test, or a limit came first. */
export type ClaimVerdict = Claim["verdict"] | "vacuous" | "unfinished";

/** How a piece of evidence comes out. */
export type EvidenceVerdict = CheckEvidence["is"] | AuditEvidence["is"] | "vacuous" | "unfinished";

/** A claim with all that was found. */
export interface ClaimRun {
  readonly claim: Claim;
  readonly found: readonly Found[];
}

/** Stands for everything that a suite asks. */
export const EVERYTHING = "all";

/** What the claim rests on. Throws a ModelError if it rests on something that is not there. */
export function askedBy({ suites }: Pick<Session, "suites">, claim: Claim): Asked[] {
  const where = `claim ${claim.id}`;
  const { evidence, verdict } = claim;
  if (evidence.length === 0) throw new ModelError(`${where} rests on nothing`, "Name suites or audits that decide it.");
  if (isOfEquivalence(verdict) && !evidence.some((each) => "audit" in each))
    throw new ModelError(`${where} is ${verdict} without an audit`, "Let it rest on an audit, or say that it holds or is refuted.");
  const suiteOf = (name: string, place: string): Suite => {
    const suite = suites.find((each) => each.name === name);
    if (suite === undefined) throw new ModelError(`${place}: there is no suite ${name}`, "Correct the name in the claim's evidence.");
    return suite;
  };
  return evidence.map((each, position): Asked => {
    const place = `${where}, evidence ${position + 1}`;
    if ("audit" in each) {
      const [a, b] = [suiteOf(each.audit[0], place), suiteOf(each.audit[1], place)];
      if (a.scenario !== b.scenario)
        throw new ModelError(
          `${place}: ${a.name} and ${b.name} have scenarios of their own`,
          "Only designs under one scenario can be compared: give both suites the same scenario object.",
        );
      return { kind: "audit", evidence: each, suites: [a, b] };
    }
    const suite = suiteOf(each.suite, place);
    const known = [EVERYTHING, ...checksOfSuite(suite)];
    if (!known.includes(each.check))
      throw new ModelError(`${place}: ${suite.name} does not check ${each.check}`, `It checks ${known.slice(1).join(", ")}.`);
    return { kind: "check", evidence: each, suite };
  });
}

/** Throws a ModelError if two claims have one number. */
export function checkIds(claims: readonly Claim[]): void {
  const ids = claims.map(({ id }) => id);
  const twice = ids.find((id, position) => ids.indexOf(id) !== position);
  if (twice !== undefined) throw new ModelError(`two claims are called ${twice}`, "Give every claim a number of its own.");
}

/** What was found makes of the claim. One thing that comes out otherwise decides it, whatever is not known of the others. */
export function verdictOfClaim({ claim, found }: ClaimRun): ClaimVerdict {
  const [yes, no] = isOfEquivalence(claim.verdict) ? (["equivalent", "differs"] as const) : (["holds", "refuted"] as const);
  const came = found.map(cameOut);
  if (found.some((each, position) => isContrary(each.evidence, came[position] as EvidenceVerdict))) return no;
  return (["unfinished", "vacuous"] as const).find((verdict) => came.includes(verdict)) ?? yes;
}

/** How what was found comes out, in the words of evidence. */
export function cameOut(found: Found): EvidenceVerdict {
  if (found.kind === "none") return "unfinished";
  if (found.kind === "audit") {
    const { verdict } = found.audit;
    if (verdict === "A allows more") return "a-allows-more";
    return verdict === "B allows more" ? "b-allows-more" : verdict;
  }
  const { run, evidence } = found;
  if (evidence.check !== EVERYTHING) return verdictIn(run, evidence.check) as EvidenceVerdict;
  const verdicts = run.outcome.results.map(({ verdict }) => verdict);
  return (["violated", "unfinished", "vacuous"] as const).find((verdict) => verdicts.includes(verdict)) ?? "holds";
}

/** Whether it comes out otherwise than the evidence says; not so if nothing is known. */
export function isContrary({ is }: Evidence, came: EvidenceVerdict): boolean {
  return came !== is && came !== "vacuous" && came !== "unfinished";
}

/** The shortest trace of what the evidence is about. */
export function traceOf({ evidence, run }: Found & { readonly kind: "check" }): Replayed | null {
  const checks = evidence.check === EVERYTHING ? checksOfSuite(run.suite) : [evidence.check];
  const traces = checks.flatMap((check) => shortestOf(run, check) ?? []);
  return traces.sort((one, other) => one.finding.path.length - other.finding.path.length)[0] ?? null;
}

/** 0 if the claim is as it is known to be; 3 if a limit was hit before that could be said. */
export function exitCodeOfClaim(run: ClaimRun): ExitCode {
  if (run.found.some(isFaulty)) return 2;
  const verdict = verdictOfClaim(run);
  if (verdict === run.claim.verdict) return 0;
  return verdict === "unfinished" && run.found.some(isCut) ? 3 : 1;
}

function isFaulty(found: Found): boolean {
  return found.kind === "none" ? found.isFault : found.kind === "check" && found.run.exitCode === 2;
}

function isCut(found: Found): boolean {
  if (found.kind === "check") return found.run.outcome.end.kind === "limit";
  return found.kind === "none" || found.audit.unfinished !== null;
}

function isOfEquivalence(verdict: Claim["verdict"]): boolean {
  return verdict === "equivalent" || verdict === "differs";
}
