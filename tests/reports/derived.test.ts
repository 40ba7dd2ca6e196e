/**
 * What of `reports` is derived from runs is as the runs are now: the known bugs, the claims and the traces of the findings. Of bugs and
 * claims only the smallest are run here; `npm run reports -- --check` runs them all.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { questions } from "../../reports/backports/questions.js";
import { claims, threads } from "../../reports/claims/index.js";
import { bugs } from "../../reports/corpus/entries.js";
import { promises, systems } from "../../reports/promises.js";
import { switches } from "../../reports/switches/index.js";
import { answerOf, answerPage, pathOfAnswer } from "../../scripts/backports.js";
import { sectionOf } from "../../scripts/claims.js";
import { bugPage, contextOf, pathOf, rediscover, rowCells } from "../../scripts/corpus.js";
import { withTraces } from "../../scripts/findings.js";
import { promisesPage } from "../../scripts/promises.js";
import { runClaims } from "../../src/cli/claims.js";
import type { Claim } from "../../src/lang/claim.js";
import { costText } from "../../src/report/claims.js";
import type { Ledger } from "../../src/report/ledger.js";
import { prose } from "../../src/report/markdown.js";
import { askedBy, checkIds, verdictOfClaim } from "../../src/session/claims.js";
import { packageRoot } from "../../src/session/open.js";
import { mistakesOf, suiteOfRow } from "../../src/session/rediscovery.js";
import { openBundled } from "../models/variant.js";

const session = openBundled();
const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
const read = (...path: string[]) => readFileSync(join(packageRoot(), "reports", ...path), "utf8");

/** How many bugs are run. */
const FEW = 10;

/** States of the largest suite of a bug, as far as they are recorded. */
const ledger = JSON.parse(read("ledger.json")) as Ledger;
const rowsOf = (id: number) => switches.filter(({ entry }) => entry === id);
const sizeOf = (id: number) => Math.max(...rowsOf(id).map((row) => ledger[row.suite]?.states ?? Number.POSITIVE_INFINITY));
const shown = bugs.filter(({ id }) => rowsOf(id).length > 0);
const smallest = [...shown].sort((one, other) => sizeOf(one.id) - sizeOf(other.id)).slice(0, FEW);
const context = contextOf(session, bugs);

/** The claims that rest on the smallest suites. */
const sizeOfClaim = ({ evidence }: Claim) =>
  Math.max(
    ...evidence
      .flatMap((each) => ("audit" in each ? each.audit : [each.suite]))
      .map((suite) => ledger[suite]?.states ?? Number.POSITIVE_INFINITY),
  );
const few = [...claims].sort((one, other) => sizeOfClaim(one) - sizeOfClaim(other)).slice(0, FEW);

it("what has to be kept above all is as the ledger has it", () => {
  expect(read("promises.md")).toBe(promisesPage(session.suites, ledger, promises, systems));
});

describe("known bugs", () => {
  const table = read("corpus.md");

  it.each(smallest.map((bug) => [`${bug.id} ${bug.name}`, bug] as const))(
    "%s: violated without the fix, and with it what is claimed",
    (_, bug) => {
      const rows = rowsOf(bug.id).map((row) => rediscover(session, row));
      expect(rows.flatMap(mistakesOf)).toEqual([]);
      expect(read(pathOf(bug))).toBe(bugPage(bug, rows, context));
      for (const row of rows) expect(table).toContain(` | ${rowCells(row).join(" | ")} |`);
    },
  );

  it("have a page each, and a line in the table for each suite", () => {
    const pages = readdirSync(join(packageRoot(), "reports/corpus")).filter((name) => name.endsWith(".md"));
    expect(pages.map((name) => `corpus/${name}`)).toEqual(shown.map(pathOf).sort());
    for (const { commit, suite } of switches) expect(table).toContain(`| \`${commit}\` in \`${suite}\` |`);
  });

  it("are shown in two designs that differ by one commit", () => {
    for (const row of switches) expect(suiteOfRow(session, row).name).toBe(row.suite);
    const [first] = switches;
    expect(() => suiteOfRow(session, { ...first!, without: {}, with: {} })).toThrow("differs by nothing");
    const both = { revert: ["01657bc14a39", "a2e7e59a9426"] };
    expect(() => suiteOfRow(session, { ...first!, commit: "01657bc14a39", without: both, with: {} })).toThrow(
      "+01657bc14a39 +a2e7e59a9426",
    );
  });

  it("a row that claims what does not come out is a mistake", () => {
    const row = switches.find(({ commit }) => commit === "b54240ad4943")!;
    expect(mistakesOf(rediscover(session, { ...row, red: "double-free" }))).toEqual([
      "b54240ad4943 in probe/failing-walk: double-free is not violated without it",
    ]);
    const left = { red: "L1", why: "it is not" };
    expect(mistakesOf(rediscover(session, { ...row, left }))).toContain("b54240ad4943 in probe/failing-walk: L1 is not violated with it");
  });

  it("that no suite shows say why, and no others do", () => {
    for (const { id, leftOut = "" } of bugs) expect([id, leftOut.length > 10]).toEqual([id, rowsOf(id).length === 0]);
  });

  it("have fixes as the designs call them, and follow from each other as these say", () => {
    const known = new Map(Object.entries(context.commits));
    for (const { id, fix, follows } of bugs) {
      for (const { sha, subject } of fix) {
        const commit = sha === null ? undefined : known.get(sha);
        if (commit !== undefined && subject !== null) expect([id, subject]).toEqual([id, commit.subject]);
      }
      expect([id, follows === undefined || bugs.some((other) => other.id === follows)]).toEqual([id, true]);
    }
    for (const { entry, commit } of switches) {
      if (entry === undefined) continue;
      expect([entry, commit, bugs.find(({ id }) => id === entry)?.fix.some(({ sha }) => sha === commit)]).toEqual([entry, commit, true]);
    }
  });
});

describe("claims", () => {
  const runs = runClaims(session, few, { jobs: 1 });

  it("of each thread have a page, which says what they turn out to be", async () => {
    const table = read("claims.md");
    for (const run of (await runs).runs) {
      const { id, system, says, verdict } = run.claim;
      expect([id, verdictOfClaim(run)]).toEqual([id, verdict]);
      expect(table).toContain(
        `| [${id}](claims/${system}.md#${id.toLowerCase()}) | ${prose(says)} | ${verdict} | ${prose(costText(run))} |`,
      );
      expect(read("claims", `${system}.md`)).toContain(sectionOf(run).join("\n\n"));
    }
  });

  it("rest on suites that there are, on threads that are told of and on findings that are written", () => {
    checkIds(claims);
    for (const claim of claims) {
      expect([claim.id, askedBy(session, claim).length > 0]).toEqual([claim.id, true]);
      expect([claim.id, claim.system in threads]).toEqual([claim.id, true]);
      if (claim.finding !== undefined) expect(readdirSync(join(packageRoot(), "reports/findings"))).toContain(claim.finding);
    }
  });
});

describe("what is safe to backport", () => {
  it("each question has a page", () => {
    const pages = readdirSync(join(packageRoot(), "reports/backports")).filter((name) => name.endsWith(".md"));
    expect(pages.map((name) => `backports/${name}`)).toEqual(questions.map(pathOfAnswer).sort());
  });

  it("a page says what comes out now", async () => {
    // The others take too long for here.
    const smallest = questions.find(({ name }) => name === "first-iommu-ops-on-ppc64")!;
    expect(read(pathOfAnswer(smallest))).toBe(answerPage(await answerOf(session, smallest), bugs));
  });
});

it("every suite has a page, and every page a suite", () => {
  const folder = join(packageRoot(), "reports/pages");
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".md") && path !== "index.md");
  expect(pages.map((path) => path.replace(/\.md$/, "")).sort()).toEqual(session.suites.map(({ name }) => name).sort());
});

describe("findings", () => {
  const pages = readdirSync(join(packageRoot(), "reports/findings"));

  it.each(pages)("%s has the traces of today", (page) => {
    const text = read("findings", page);
    expect(withTraces(session, text, version)).toBe(text);
  });

  it("are all in words and with a trace", () => {
    for (const page of pages.filter((name) => name !== "README.md")) {
      const text = read("findings", page);
      for (const part of ["<!-- trace ", "**Judgement: ", "**How sure.**", " line "])
        expect([page, text.includes(part)]).toEqual([page, true]);
    }
  });

  it("a mark that names nothing is refused", () => {
    const mark = (suite: string, check: string) => `<!-- trace ${suite} ${check} -->\n<!-- end of trace -->`;
    expect(() => withTraces(session, mark("probe/none", "X1"), version)).toThrow("there is no suite probe/none");
    expect(() => withTraces(session, mark("probe/failing-walk", "X1"), version)).toThrow("probe/failing-walk does not find X1");
  });
});
