/** Has one suite explored by the fast engine, its states written into a certificate, and a certificate verified by the plain semantics. */
import { basename, dirname, relative, resolve, sep } from "node:path";
import { type Certificate, CLAIMS_LINE, type ClaimedVerdict, type Claims, certificateBytes } from "../certify/certificate.js";
import { type Verification, verify } from "../certify/verify.js";
import { writeStates } from "../certify/write.js";
import { exploreStates } from "../explore/fast.js";
import { overLimit } from "../explore/limits.js";
import type { CheckResult, End, Limits, Progress } from "../explore/outcome.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { hashOf } from "../load/cache.js";
import { boundsOf } from "../step/bounds.js";
import { type Control, keyOf } from "../step/control.js";
import type { Machine, Variant } from "../step/machine.js";
import { bundledSuites, type Session } from "./open.js";
import {
  type Comparison,
  checkExpectations,
  checksBeside,
  checksOfSuite,
  comparisonsOf,
  type ExitCode,
  machineOf,
  resolvedVariant,
} from "./run-suite.js";

/** How far it is. */
export type CertifyProgress = { readonly doing: "exploring"; readonly progress: Progress } | CountingProgress;

/** States that have been looked at, of how many, and the seconds that took. */
export interface CountingProgress {
  readonly doing: "writing" | "verifying";
  readonly done: number;
  readonly of: number;
  readonly seconds: number;
}

export interface CertifyOptions {
  readonly variant?: Variant;
  readonly limits?: Limits;
  /** Version of the tool. */
  readonly version: string;
}

type Limit = (End & { readonly kind: "limit" })["what"];

/** What came of some work, or the limit that came first. */
export type Limited<Result> = { readonly result: Result; readonly by: null } | { readonly result: null; readonly by: Limit };

/** How a certificate of a suite came out. */
export interface Certification {
  readonly suite: Suite;
  readonly variant: Variant;
  /** The one that has verified it. */
  readonly machine: Machine;
  /** Null if there is none, since the run did not come to its end. */
  readonly certificate: Certificate | null;
  /** Null if that did not come to its end. */
  readonly verification: Verification | null;
  readonly stoppedBy: Limit | null;
  /** Whether the certificate has just been made, of the model as it is. */
  readonly isFresh: boolean;
  /** How what it claims compares with what the suite expects. */
  readonly comparisons: readonly Comparison[];
  /** 0 it is accepted, and claims what the suite expects; 1 not so; 3 a limit was hit. */
  readonly exitCode: ExitCode;
}

type Certifying = Generator<CertifyProgress, Certification, "interrupt" | undefined>;

/**
 * Explores a suite and makes a certificate of it, which `keep` is given and reads back, and verifies that. Throws a ModelError if the
 * model is at fault.
 */
export function* certifySuite(session: Session, suite: Suite, options: CertifyOptions, keep: (bytes: Buffer) => Certificate): Certifying {
  checkExpectations(suite);
  const machine = machineOf(session, suite, options.variant);
  const made = yield* makeCertificate(session, suite, options, machine);
  if (made.result !== null) return { ...(yield* verifyCertificate(session, suite, keep(made.result), options)), isFresh: true };
  const variant = resolvedVariant(suite, options.variant);
  return {
    suite,
    variant,
    machine,
    certificate: null,
    verification: null,
    stoppedBy: made.by,
    isFresh: true,
    comparisons: [],
    exitCode: 3,
  };
}

/** Has the fast engine explore the suite's machine, and writes a certificate of what it says. It explores on after violations: the set is to lack nothing. */
export function* makeCertificate(
  session: Session,
  suite: Suite,
  options: CertifyOptions,
  machine: Machine,
): Generator<CertifyProgress, Limited<Buffer>, "interrupt" | undefined> {
  const { limits = {} } = options;
  const goOnAfter = new Set(checksBeside(null, suite));
  const exploring = exploreStates(machine, { limits, goOnAfter, traces: false }, function* ({ end, results }, states) {
    if (end.kind === "limit") return stopped<Buffer>(end.what);
    if (end.kind === "violation") {
      throw new ModelError(
        `${suite.name} cannot be certified: it ends in a model-fault`,
        "`iommu-mc check` shows where; of a model that is at fault nothing can be said.",
      );
    }
    const writing = writeStates(machine, states, placeIn(session));
    const written = yield* counted(writing, { doing: "writing", of: states.count }, limits);
    if (written.result === null) return stopped<Buffer>(written.by);
    const { form, records } = written.result;
    return done(certificateBytes(claimsOf(session, suite, machine, options, results, states.count), form, records));
  });
  return yield* told(exploring);
}

/** Runs the model's code on each state of the certificate. Throws a ModelError if the certificate is of something else than the suite is. */
export function* verifyCertificate(
  session: Session,
  suite: Suite,
  certificate: Certificate,
  { limits, version }: Omit<CertifyOptions, "variant">,
): Certifying {
  const { claims } = certificate;
  checkSubject(session, suite, certificate, version);
  const { variant, machine } = variantOfClaims(session, suite, certificate);
  const verifying = verify(machine, certificate, placeIn(session));
  const { result: verification, by } = yield* counted(verifying, { doing: "verifying", of: claims.states }, limits);
  const comparisons = comparisonsOf(suite, variant, resultsOf(suite, claims));
  const isAccepted = verification?.refusal === null && comparisons.every(({ asExpected }) => asExpected);
  const exitCode = verification === null ? 3 : isAccepted ? 0 : 1;
  return { suite, variant, machine, certificate, verification, stoppedBy: by, isFresh: false, comparisons, exitCode };
}

/** The suite that the certificate is of. */
export function suiteOfCertificate({ suites }: Session, { claims }: Certificate, file: string): Suite {
  const suite = suites.find(({ name }) => name === claims.suite);
  if (suite !== undefined) return suite;
  const hint =
    claims.file === null ? "It was made of a bundled suite: leave out --file." : `It was made of ${claims.file}: name that by --file.`;
  throw new ModelError(`the certificate is of ${claims.suite}, and there is no such suite`, hint, { file, line: CLAIMS_LINE, column: 1 });
}

/** The variant of the suite that the certificate is about. Throws a ModelError if there is none. */
function variantOfClaims(session: Session, suite: Suite, { claims, damaged }: Certificate): Pick<Certification, "variant" | "machine"> {
  const { revert, apply, bounds } = claims;
  const { faults, faultPolicy } = bounds;
  const changes: Variant = {
    ...(revert.length === 0 ? {} : { revert }),
    ...(apply.length === 0 ? {} : { apply }),
    ...(faults === (suite.scenario.faults ?? 0) ? {} : { faults }),
    ...(faultPolicy === "contract" ? {} : { faultPolicy }),
  };
  try {
    const machine = machineOf(session, suite, changes);
    if (JSON.stringify(bounds) === JSON.stringify(boundsOf(machine))) return { variant: resolvedVariant(suite, changes), machine };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw damaged(`the certificate is of no variant of the suite: ${error.message}`, CLAIMS_LINE);
  }
  throw damaged("the certificate has other bounds than the scenario", CLAIMS_LINE);
}

/** What the certificate claims of each property and check. */
function resultsOf(suite: Suite, { verdicts }: Claims): CheckResult[] {
  const properties = new Set(suite.properties.map(({ code }) => code));
  return Object.entries(verdicts).map(([check, verdict]) => ({ check, isProperty: properties.has(check), verdict }));
}

function claimsOf(
  session: Session,
  suite: Suite,
  machine: Machine,
  { variant, version }: CertifyOptions,
  results: readonly CheckResult[],
  states: number,
): Claims {
  const { revert = [], apply = [] } = resolvedVariant(suite, variant);
  return {
    version,
    file: session.file === bundledSuites() ? null : basename(session.file),
    suite: suite.name,
    design: suite.design.name,
    designVersion: suite.design.version,
    scenario: suite.scenario.name,
    revert,
    apply,
    bounds: boundsOf(machine),
    models: digestOf(session),
    states,
    verdicts: Object.fromEntries(results.map(({ check, verdict }) => [check, verdict as ClaimedVerdict])),
  };
}

/** Throws a ModelError unless the certificate is of this suite, loaded from the same files, and was written by the same version of the tool. */
function checkSubject(session: Session, suite: Suite, { claims, damaged }: Certificate, version: string): void {
  const facts: readonly (readonly [string, string, string])[] = [
    ["was written by iommu-mc", claims.version, version],
    ["is of the design", `${claims.design} ${claims.designVersion}`, `${suite.design.name} ${suite.design.version}`],
    ["is of the scenario", claims.scenario, suite.scenario.name],
    ["decides", Object.keys(claims.verdicts).sort().join(), checksOfSuite(suite).sort().join()],
    ["was made of model files with the digest", claims.models, digestOf(session)],
  ];
  for (const [what, there, here] of facts)
    if (there !== here) throw damaged(`the certificate ${what} ${there}; here it is ${here}`, CLAIMS_LINE);
}

/** Of all files that the suites were loaded from, wherever they are. */
function digestOf(session: Session): string {
  const nameOf = nameIn(session);
  return hashOf(...[...session.code.texts()].flatMap(([path, text]) => [nameOf(path), text]));
}

/** Calls a control state by a name that means the same on another machine. */
function placeIn(session: Session): (control: Control) => string {
  const nameOf = nameIn(session);
  return (control) => keyOf(control, ({ location: { file, line, column } }) => `${nameOf(file)}:${line}:${column}`);
}

/** Calls a model file as it is seen from the file of suites. */
function nameIn({ file }: Session): (path: string) => string {
  const folder = dirname(file);
  return (path) => relative(folder, resolve(path)).split(sep).join("/");
}

/** Milliseconds between looks at the limits, and words about how far it is. */
const TELL_EVERY = 100;

function done<Result>(result: Result): Limited<Result> {
  return { result, by: null };
}

function stopped<Result>(by: Limit): Limited<Result> {
  return { result: null, by };
}

/** Work that tells how many states it has looked at, within the limits. */
function* counted<Result>(
  work: Generator<number, Result>,
  what: Pick<CountingProgress, "doing" | "of">,
  limits: Limits = {},
): Generator<CountingProgress, Limited<Result>, "interrupt" | undefined> {
  const started = performance.now();
  let lastTold = started;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return done(step.value);
    const now = performance.now();
    if (now - lastTold < TELL_EVERY) continue;
    lastTold = now;
    const seconds = (now - started) / 1000;
    if ((yield { ...what, done: step.value, seconds }) === "interrupt") return stopped("interrupt");
    const over = overLimit(limits, { seconds, memoryBytes: process.memoryUsage.rss() });
    if (over !== null) return stopped(over);
  }
}

/** Has the explorer's words told as ours. */
function* told<Result>(
  exploring: Generator<Progress | CountingProgress, Result, "interrupt" | undefined>,
): Generator<CertifyProgress, Result, "interrupt" | undefined> {
  let step = exploring.next();
  while (!step.done) {
    const progress = step.value;
    step = exploring.next(yield "doing" in progress ? progress : { doing: "exploring", progress });
  }
  return step.value;
}
