/** `iommu-mc bisect`: which commit between two designs it was. */
import type { Suite } from "../lang/suite.js";
import { bisectText, type JsonBisect, type JsonToggle } from "../report/bisect.js";
import { replayCommand } from "../report/command.js";
import { bisectWay, setAfter, type Tested, type Toggle, wayBetween } from "../session/bisect.js";
import { CommitSets, type Introduced, introducedIn, type Verdicts, violatedIn } from "../session/commit-sets.js";
import { designsOf } from "../session/design-spec.js";
import type { Session } from "../session/open.js";
import { checksBeside, checksOfSuite, type ExitCode } from "../session/run-suite.js";
import { appliedCommits, lackingIn, type Variant, variantTo } from "../step/machine.js";
import { parsePath } from "../trace/replay.js";
import { runSuitesOnce } from "./drive.js";
import { unknownName } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { type LimitOptions, limitsOf } from "./options.js";
import { open, selectDesign, selectOne, verdictCache } from "./select.js";
import { lookOfStdout, print } from "./terminal.js";

export interface BisectOptions extends LimitOptions {
  readonly suite: string;
  readonly property?: string;
  readonly faults?: number;
  readonly file?: string;
  readonly cache?: boolean;
  readonly json?: boolean;
}

/**
 * A set of commits is bad if the property is violated in it; without a property, if anything is that is not in the good one.
 * Exit code 0 if the first bad commit was found, 1 if there is nothing to find, 3 if it was not found.
 */
export async function bisect(goodName: string, badName: string, options: BisectOptions): Promise<ExitCode> {
  const { session, file } = open(options.file);
  const suite = selectOne(session.suites, options.suite);
  const property = options.property ?? null;
  const checks = checksOfSuite(suite);
  if (property !== null && !checks.includes(property))
    throw unknownName("property", property, checks, "properties and checks of the suite");
  const from = setNamed(session, suite, goodName);
  const way = wayBetween(suite.design, from, setNamed(session, suite, badName));
  const trial = new Trial(session, suite, from, way, options);
  const ends = [await trial.test(0), await trial.test(way.length)];
  const isAsSaid = ends[0] === "good" && ends[1] === "bad";
  const [good, bad] = isAsSaid ? await bisectWay(way.length, (place) => trial.test(place)) : [0, 0];
  const told = way.map((toggle): JsonToggle => ({ ...toggle, subject: suite.design.commits[toggle.sha]?.subject ?? "" }));
  const candidates = told.slice(good, bad);
  const first = candidates.length === 1 ? (candidates[0] as JsonToggle) : null;
  const introduced = isAsSaid ? await trial.heldAgainst(bad) : [];
  const path = introduced.find((each) => each.path !== null)?.path ?? null;
  const exitCode = first !== null ? 0 : isAsSaid || ends.includes("skip") ? 3 : 1;
  process.exitCode = exitCode;
  const document: JsonBisect = {
    ...headerOf("bisect"),
    suite: suite.name,
    property,
    good: goodName,
    bad: badName,
    way: told,
    tested: trial.tested,
    first,
    candidates,
    introduced,
    replay: path === null ? null : replayCommand(suite.name, parsePath(path) ?? [], trial.variantAt(bad), file),
    checks: trial.checks,
    exitCode,
  };
  await print(options.json ? jsonText(document) : bisectText(document, lookOfStdout()));
  return exitCode;
}

/** Tries the suite at places on the way: place n is the good set after the first n changes. */
class Trial {
  readonly tested: { after: number; is: Tested; why: string }[] = [];
  readonly #sets = new CommitSets();
  /** What the good set says, where that is what the others are measured by. */
  #reference: Verdicts | null = null;
  #isInterrupted = false;

  constructor(
    private readonly session: Session,
    private readonly suite: Suite,
    private readonly from: ReadonlySet<string>,
    private readonly way: readonly Toggle[],
    private readonly options: BisectOptions,
  ) {}

  get checks(): number {
    return this.#sets.runs;
  }

  async test(place: number): Promise<Tested> {
    const [is, why] = await this.#judge(place);
    this.tested.push({ after: place, is, why });
    return is;
  }

  /** What makes the place bad. */
  async heldAgainst(place: number): Promise<Introduced[]> {
    const verdicts = await this.#verdictsAt(place);
    return verdicts === null ? [] : this.#against(verdicts);
  }

  variantAt(place: number): Variant {
    const { faults } = this.options;
    return { ...variantTo(this.suite.design, this.#setAt(place)), ...(faults === undefined ? {} : { faults }) };
  }

  async #judge(place: number): Promise<[Tested, string]> {
    const lacking = lackingIn(this.suite.design, this.#setAt(place));
    if (lacking !== null) return ["skip", `${lacking.sha} needs ${lacking.needs}`];
    const verdicts = await this.#verdictsAt(place);
    if (verdicts === null) return ["skip", "interrupted"];
    if (place === 0 && this.options.property === undefined) this.#reference = verdicts;
    const found = this.#against(verdicts).map(({ check }) => check);
    if (found.length > 0) return ["bad", `${found.join(", ")} violated`];
    if (!verdicts.isComplete) return ["skip", "unfinished"];
    const accepted = this.options.property === undefined ? violatedIn(verdicts) : [];
    return ["good", accepted.length === 0 ? "holds" : `${accepted.join(", ")} violated, as in the good one`];
  }

  #against(verdicts: Verdicts): Introduced[] {
    const { property } = this.options;
    const introduced = introducedIn({ ...this.suite, expected: {} }, this.#reference, verdicts);
    return property === undefined ? introduced : introduced.filter(({ check }) => check === property);
  }

  async #verdictsAt(place: number): Promise<Verdicts | null> {
    const set = this.#setAt(place);
    const known = this.#sets.find(this.suite, set);
    if (known !== null || this.#isInterrupted) return known;
    const { property = null, cache } = this.options;
    const how = { variant: this.variantAt(place), limits: limitsOf(this.options), goOnAfter: checksBeside(property, this.suite) };
    const [result] = await runSuitesOnce(this.session, [this.suite], { ...how, ...(cache ? { cache: verdictCache() } : {}) });
    if (result?.kind === "error") throw result.error;
    if (result?.kind !== "run") return null;
    const { end } = result.run.outcome;
    this.#isInterrupted = end.kind === "limit" && end.what === "interrupt";
    this.#sets.keep(result.run);
    return this.#sets.find(this.suite, set);
  }

  #setAt(place: number): Set<string> {
    return setAfter(this.from, this.way, place);
  }
}

/** The commits of the design of that name, which is one of the suite's model. */
function setNamed({ suites }: Session, { design: { commits } }: Suite, name: string): ReadonlySet<string> {
  const ofModel = suites.filter(({ design }) => design.commits === commits);
  return appliedCommits(selectDesign(name, designsOf(ofModel)).design, {});
}
