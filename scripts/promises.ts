/** reports/promises.md: what the systems have to keep above all, and in which suites they do, by the ledger. */
import type { AskedBy, KeptPromise, System } from "../reports/promises.js";
import { matches } from "../src/cli/select.js";
import type { Suite } from "../src/lang/suite.js";
import type { Ledger } from "../src/report/ledger.js";
import { prose, table } from "../src/report/markdown.js";
import { counted } from "../src/report/wrap.js";

export function promisesPage(
  suites: readonly Suite[],
  ledger: Ledger,
  promises: readonly KeptPromise[],
  systems: readonly System[],
): string {
  const blocks = [
    "# What has to be kept above all, system by system",
    "In how many suites the properties hold, and in how many they are violated, by the ledger. Most of those are expected: designs as they were posted, or before they were fixed, and mistakes made on purpose. The suites' own pages have traces, and reasons. `npm run reports` writes this.",
    table(
      ["", ...promises.map(({ says }) => prose(says))],
      systems.map((system) => [prose(system.name), ...promises.map((promise) => cellOf(system, asked(promise, system), suites, ledger))]),
    ),
  ];
  for (const promise of promises) {
    const rows = systems.flatMap((system) => rowsOf(system, asked(promise, system), suites, ledger));
    if (rows.length > 0)
      blocks.push(`## Where it is not so: ${prose(promise.says)}`, table(["system", "property", "design", "suites"], rows));
  }
  return `${blocks.join("\n\n")}\n`;
}

function asked({ asked, says }: KeptPromise, { name }: System): AskedBy {
  const by = asked[name];
  if (by === undefined) throw new Error(`reports/promises.ts: nothing is said of "${says}" for ${name}`);
  return by;
}

/** The suites of the system that ask the property. */
function asking({ suites: pattern }: System, code: string, suites: readonly Suite[]): readonly Suite[] {
  const isOf =
    pattern === "linux" ? ({ design }: Suite) => /^linux-[5-7]\.\d+$/.test(design.name) : ({ name }: Suite) => matches(name, pattern);
  return suites.filter((suite) => isOf(suite) && suite.properties.some((property) => property.code === code));
}

function isViolated({ name }: Suite, code: string, ledger: Ledger): boolean {
  const entry = ledger[name];
  if (entry === undefined) throw new Error(`the ledger has no suite ${name}: iommu-mc ledger --update`);
  return entry.others[code] === "violated";
}

function cellOf(system: System, by: AskedBy, suites: readonly Suite[], ledger: Ledger): string {
  if (typeof by === "string") return `not asked: ${by}`;
  const lines = by.map((code) => {
    const all = asking(system, code, suites);
    if (all.length === 0) throw new Error(`reports/promises.ts: no suite of ${system.name} asks ${code}`);
    const violated = all.filter((suite) => isViolated(suite, code, ledger)).length;
    const holds = all.filter(({ name }) => ledger[name]?.others[code] === undefined).length;
    return `${code}: holds in ${counted(holds, "suite")}${violated > 0 ? `, violated in ${violated}` : ""}`;
  });
  return lines.join("; ");
}

function rowsOf(system: System, by: AskedBy, suites: readonly Suite[], ledger: Ledger): string[][] {
  if (typeof by === "string") return [];
  return by.flatMap((code) => {
    const violated = asking(system, code, suites).filter((suite) => isViolated(suite, code, ledger));
    const designs = [...new Set(violated.map(({ design }) => design.name))];
    return designs.map((design) => [
      prose(system.name),
      code,
      prose(design),
      violated
        .filter((suite) => suite.design.name === design)
        .map(({ name }) => `[${prose(name)}](pages/${name}.md)`)
        .join(", "),
    ]);
  });
}
