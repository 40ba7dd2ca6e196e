/** Lists for people. */
import type { JsonListed } from "./json-list.js";
import type { Look } from "./style.js";
import { hanging } from "./wrap.js";

export type ListKind = keyof JsonListed;

export function listText({ designs, suites, properties, commits }: JsonListed, { width, style }: Look): string {
  const sections: string[][] = [];
  const add = (heading: string, entries: readonly (readonly [string, readonly string[]])[]) =>
    sections.push([
      style.bold(heading),
      ...entries.flatMap(([name, facts]) => [
        `  ${name}`,
        ...facts.filter((fact) => fact !== "").flatMap((fact) => hanging("      ", fact, width)),
      ]),
    ]);
  if (designs) {
    add(
      "designs",
      designs.map(({ name, version, includes }) => [name, [version, includes.length === 0 ? "" : `with ${includes.join(", ")}`]]),
    );
  }
  if (suites) {
    add(
      "suites",
      suites.map(({ name, design, scenario, properties, expectedViolations }) => [
        name,
        [
          `${design}: ${scenario.describes}`,
          properties.join(" "),
          expectedViolations.length === 0 ? "" : `expected to be violated: ${expectedViolations.join(", ")}`,
        ],
      ]),
    );
  }
  if (properties) {
    add(
      "properties",
      properties.map(({ code, sentence, source, seenRedBy, window }) => [
        `${code}  (${window})`,
        [sentence, `source: ${source}`, `seen red by: ${seenRedBy}`],
      ]),
    );
  }
  if (commits) {
    add(
      "commits",
      commits.map(({ sha, subject, since, messageId, needs, includedBy, applicableTo }) => [
        `${sha}  ${since}`,
        [
          subject,
          messageId === null ? "" : `no sha known; its patch is ${messageId}`,
          includedBy.length === 0 ? "" : `in ${includedBy.join(", ")} (--revert ${sha})`,
          applicableTo.length === 0 ? "" : `not in ${applicableTo.join(", ")} (--apply ${sha})`,
          needs.length === 0 ? "" : `needs ${needs.join(", ")}`,
        ],
      ]),
    );
  }
  return sections.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n");
}
