/** `iommu-mc claims`: what was said of designs, as the checker decides it. */
import { type Audit, audit } from "../audit/audit.js";
import type { Limits } from "../explore/outcome.js";
import type { Claim } from "../lang/claim.js";
import { claimsText, claimText, type JsonClaims, jsonClaim, summaryOf } from "../report/claims.js";
import { type SuiteResult, worst } from "../report/verdict.js";
import { type Asked, askedBy, type ClaimRun, checkIds, exitCodeOfClaim, type Found } from "../session/claims.js";
import type { Session } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { countsOf } from "./audit.js";
import { overSuites, runSuitesOnce } from "./drive.js";
import { UsageError, unknownName } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { type LimitOptions, limitsOf } from "./options.js";
import { open, verdictCache } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface ClaimsOptions extends LimitOptions {
  readonly file?: string;
  readonly jobs?: number;
  readonly cache?: boolean;
  readonly json?: boolean;
}

/** `which` is a claim's number; without it all are shown. Exit code 1 if a claim does not come out as it is recorded. */
export async function claimsCommand(which: string | undefined, options: ClaimsOptions): Promise<ExitCode> {
  const { session, file } = open(options.file);
  if (session.claims.length === 0) throw new UsageError("the file makes no claims", "Export `claims` beside its suites.");
  const chosen = which === undefined ? session.claims : claimsCalled(session.claims, which);
  const { runs, results } = await runClaims(session, chosen, options);
  const exitCode = worst(runs.map(exitCodeOfClaim));
  process.exitCode = exitCode;
  tellErrors(results);
  if (options.json) {
    const document: JsonClaims = { ...headerOf("claims"), claims: runs.map(jsonClaim), summary: summaryOf(runs), exitCode };
    await print(jsonText(document));
  } else {
    const look = lookOfStdout();
    await print(which === undefined ? claimsText(runs, look) : runs.map((run) => claimText(run, file, look)).join("\n"));
  }
  return exitCode;
}

/** The claim of that number, with the parts that it was split into. */
function claimsCalled(claims: readonly Claim[], which: string): Claim[] {
  const found = claims.filter(({ id }) => id === which || (id.startsWith(which) && /^[a-z]$/.test(id.slice(which.length))));
  if (found.length > 0) return found;
  throw unknownName(
    "claim",
    which,
    claims.map(({ id }) => id),
  );
}

/** Runs what the claims rest on, each thing once. Throws a ModelError if one rests on something that is not there. */
export async function runClaims(
  session: Session,
  claims: readonly Claim[],
  { cache, jobs, ...limiting }: Omit<ClaimsOptions, "file" | "json"> = {},
): Promise<{ readonly runs: ClaimRun[]; readonly results: readonly SuiteResult<unknown>[] }> {
  checkIds(session.claims);
  const asked = claims.map((claim) => askedBy(session, claim));
  const suites = [...new Set(asked.flat().flatMap((each) => (each.kind === "check" ? [each.suite] : [])))];
  const audits = new Map(asked.flat().flatMap((each) => (each.kind === "audit" ? [[keyOf(each), each] as const] : [])));
  const limits = limitsOf(limiting);
  // Audits are run by this thread only, the more so while others explore suites.
  const [explored, audited] = await Promise.all([
    runSuitesOnce(session, suites, { limits, ...(cache ? { cache: verdictCache() } : {}) }, { jobs }),
    runAudits(session, [...audits.values()], limits),
  ]);
  const runOf = new Map(suites.map((suite, position) => [suite, explored[position] as SuiteResult]));
  const auditOf = new Map([...audits.keys()].map((key, position) => [key, audited[position] as SuiteResult<Audit>]));
  const found = (each: Asked): Found => {
    if (each.kind === "check") {
      const result = runOf.get(each.suite) as SuiteResult;
      return result.kind === "run" ? { kind: "check", evidence: each.evidence, run: result.run } : notFound(each, result);
    }
    const result = auditOf.get(keyOf(each)) as SuiteResult<Audit>;
    return result.kind === "run" ? { ...each, audit: result.run } : notFound(each, result);
  };
  const runs = claims.map((claim, position) => ({ claim, found: (asked[position] as Asked[]).map(found) }));
  return { runs, results: [...explored, ...audited] };
}

type AskedAudit = Asked & { readonly kind: "audit" };

/** The same for audits that find the same. */
function keyOf({ evidence: { audit, observe } }: AskedAudit): string {
  return JSON.stringify([audit, observe]);
}

function notFound({ evidence }: Asked, { kind }: SuiteResult<unknown>): Found {
  return { kind: "none", evidence, isFault: kind === "error" };
}

function runAudits(session: Session, asked: readonly AskedAudit[], limits: Limits): Promise<SuiteResult<Audit>[]> {
  return overSuites(
    session,
    asked.map(({ suites: [a] }) => a),
    (suite, number) => {
      const { evidence, suites } = asked[number] as AskedAudit;
      return audit(session.locate, suite, { a: suites[0].design, b: suites[1].design }, { counts: countsOf(evidence.observe), limits });
    },
  );
}
