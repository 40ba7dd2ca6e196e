/**
 * Pages of audits: designs against themselves, against mutants, and before and after commits: npm run audits [-- PAGE...].
 * Exit code 1 if a design differs from itself, or a mutant that nobody can tell from the original has not been judged.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Audit, audit } from "../src/audit/audit.js";
import { Footprints } from "../src/audit/footprint.js";
import { addFootprints, idleDrivers, operationRows } from "../src/audit/operations.js";
import { scenariosOf } from "../src/cli/audit.js";
import { selectDesign } from "../src/cli/select.js";
import type { Design } from "../src/lang/design.js";
import type { Suite } from "../src/lang/suite.js";
import { auditText } from "../src/report/audit-text.js";
import { fenced, table } from "../src/report/markdown.js";
import { type OperationsOfDesign, operationsText } from "../src/report/operations-text.js";
import { plain } from "../src/report/style.js";
import { counted } from "../src/report/wrap.js";
import { designsOf } from "../src/session/design-spec.js";
import { bundledSuites, modelLoader, openWith, packageRoot } from "../src/session/open.js";
import { finish } from "../src/session/run-suite.js";
import { judgedEquivalent, judgeMutants, shownMutants } from "../tests/audit/mutants.js";
import { nameOf } from "../tests/audit/mutate.js";
import { type Pair, pairs } from "./audit-pairs.js";

const root = packageRoot();
const folder = resolve(root, "reports/audits");
const bundled = openWith(modelLoader({ root, typecheck: false }), bundledSuites());
const designs = designsOf(bundled.suites);

/** What each page begins with. */
const made = "<!-- Made by `npm run audits`. -->";

/** A design is compared with itself in the suites that have no more states. */
const MOST_STATES = 2_000_000;

/** Before the split: v5.10, in which a driver has apply_resv_region, and v5.17. */
const WITH_OPERATIONS = ["ops-5.10", "ops-5.17"];

const pages: Readonly<Record<string, () => string>> = {
  itself: itselfPage,
  mutants: mutantsPage,
  operations: operationsPage,
  ...Object.fromEntries(pairs.map((pair) => [pair.page, () => pairPage(pair)])),
};

const asked = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const name of asked.length > 0 ? asked : Object.keys(pages)) {
  const make = pages[name];
  if (make === undefined) fail(`there is no page ${name}; there are ${Object.keys(pages).join(", ")}`);
  else keep(`${name}.md`, make());
}
keep("README.md", indexPage());

function keep(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  console.log(`reports/audits/${name} written`);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

function indexPage(): string {
  const rows = pairs.map(({ page, a, b, shows }) => [`[${page}](${page}.md)`, `\`${a}\``, `\`${b}\``, shows]);
  return `# Audits

${made}

What \`iommu-mc audit\` says ([what it compares](../../docs/audit.md)) of each design and itself, of mutants, and of designs before and after a change.

- [Each design and itself](itself.md): equivalent.
- [A design and its mutants](mutants.md): which of them an observer can tell from the original, by what, and why not the others.
- [What operations need](operations.md): the device or the domain, before \`struct iommu_ops\` was split.

${table(["page", "before", "after", "what it shows"], rows)}
`;
}

function run(suite: Suite, a: Design, b: Design, maxStates: number): Audit {
  return finish(audit(bundled.locate, suite, { a, b }, { counts: () => true, limits: { maxStates } }));
}

function itselfPage(): string {
  const rows = [...designs.keys()].map((name) => {
    const audits = bundled.suites.filter(({ design }) => design.name === name).map(likeItself);
    const done = audits.flatMap(({ states }) => states ?? []);
    return { name, done, left: audits.filter(({ states }) => states === null) };
  });
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const done = rows.flatMap((row) => row.done);
  const left = rows.flatMap((row) => row.left.map(({ suite, why }) => `\`${suite.name}\` (${why})`));
  return `# Each design and itself

${made}

The design of each bundled suite is compared with itself in the suite's scenario: it is explored twice, what can be seen is made as small as it can be, twice, and each is
looked for in the other, as for two designs. Nothing else than _equivalent_ may come of it, and nothing else came of ${counted(done.length, "suite")} with ${counted(sum(done), "state")} in all.
Not looked at, with more than ${counted(MOST_STATES, "state")} or more to compare than there is room for: ${left.length} of ${counted(bundled.suites.length, "suite")}${left.length === 0 ? "" : `, ${left.join(", ")}`}.

${table(
  ["design", "suites, all equivalent", "states in all", "in the largest", "not looked at"],
  rows.map((row) => {
    const figures = [row.done.length, sum(row.done), Math.max(0, ...row.done), row.left.length];
    return [`\`${row.name}\``, ...figures.map((figure) => figure.toLocaleString("en"))];
  }),
)}
`;
}

/** Compares the suite's design with itself: how many states it has, or why it was not looked at. */
function likeItself(suite: Suite): { readonly suite: Suite; readonly states: number | null; readonly why: string | null } {
  const { verdict, states, unfinished } = run(suite, suite.design, suite.design, MOST_STATES);
  if (unfinished !== null) return { suite, states: null, why: unfinished };
  if (verdict !== "equivalent") throw new Error(`${suite.design.name} differs from itself in ${suite.name}`);
  return { suite, states: states.a, why: null };
}

function mutantsPage(): string {
  const tables = shownMutants.map((shown) => {
    const rows = judgeMutants(shown).map(({ mutant, verdict }) => {
      const place = `${mutant.line}, ${mutant.procedure}`;
      const cells = (...rest: readonly string[]) => [place, mutant.what, ...rest].map((cell) => cell.replaceAll("|", "\\|"));
      if (verdict.kind === "differs") {
        const { suite, events, original, mutant: instead } = verdict;
        return {
          verdict,
          row: cells(`differs in \`${suite}\``, `after ${counted(events, "event")}: \`${instead}\`, and not \`${original}\``),
        };
      }
      if (verdict.kind === "refused") return { verdict, row: cells("cannot be run", verdict.why) };
      const why = judgedEquivalent[nameOf(mutant)];
      if (why === undefined) fail(`nobody has judged why the mutant is equivalent: ${nameOf(mutant)}`);
      return { verdict, row: cells("equivalent", why ?? "") };
    });
    const count = (kind: string) => rows.filter(({ verdict }) => verdict.kind === kind).length;
    const text = `## ${shown.file}

${counted(shown.count, "mutant")} by seed ${shown.seed}, in ${shown.suites.map((suite) => `\`${suite}\``).join(", ")}.

${table(
  ["line", "mutant", "verdict", "by what, or why not"],
  rows.map(({ row }) => row),
)}
`;
    return { text, differ: count("differs"), equivalent: count("equivalent") };
  });
  const sum = (key: "differ" | "equivalent") => tables.reduce((total, table) => total + table[key], 0);
  return `# A design and its mutants

${made}

Would an audit notice? Statements of the model of \`linux-6.1\` are dropped, conditions negated, constants exchanged, one at a time, wherever the
scenarios come; a sample of them is compared with the original. An observer sees what drivers are told, what is refused, and how behaviours end.
${sum("differ")} differ, each with a shortest trace that the plain engine has followed; ${sum("equivalent")} are equivalent, and the reason is
given. \`tests/audit/mutate.ts\` makes them.

${tables.map(({ text }) => text).join("\n")}`;
}

function operationsPage(): string {
  const blocks = WITH_OPERATIONS.map((name) => {
    const lines = operationsText([operationsOf(name)], { width: 100, style: plain })
      .trimEnd()
      .split("\n");
    return fenced("", [`$ iommu-mc audit ops ${name}`, ...lines]);
  });
  return `# What operations need

${made}

What is the criterion of whether an operation is one of the device or of the domain? What its implementations use ([what that means](../../docs/audit.md#what-an-operation-needs)),
in models of Intel's, AMD's, ARM's, virtio's, Exynos', s390's and Apple's drivers before the split of \`struct iommu_ops\` (v5.18): an operation that
needs the device alone is the device's, and one that needs the domain alone is the domain's, whatever it is passed. Where both are needed
nothing of this decides.

${blocks.join("\n\n")}
`;
}

function operationsOf(name: string): OperationsOfDesign {
  const { design } = selectDesign(name, designs);
  const footprints = new Footprints();
  const results = scenariosOf(bundled.suites, name).map((suite) => {
    const end = finish(addFootprints(bundled.locate, suite, design, { maxStates: 100_000 }, footprints));
    const limit = end.kind === "limit" ? end.what : null;
    return { kind: "run", run: { suite, limit, exitCode: 0 } } as const;
  });
  return { design: name, rows: operationRows(design, footprints), idle: idleDrivers(design, footprints), results };
}

function pairPage({ a, b, suites: pattern, shows, reading }: Pair): string {
  const before = selectDesign(a, designs);
  const after = selectDesign(b, designs);
  const results = scenariosOf(bundled.suites, before.base, pattern).map((suite) => {
    const done = run(suite, before.design, after.design, 100_000);
    return { kind: "run", run: { audit: done, exitCode: 0 } } as const;
  });
  return `# \`${a}\` and \`${b}\`

${made}

${shows[0]?.toUpperCase()}${shows.slice(1)}. ${reading}

${fenced("", [`$ iommu-mc audit ${a} ${b} --suite '${pattern}'`, ...auditText(results, { a, b }, { width: 100, style: plain }).trimEnd().split("\n")])}
`;
}
