/** What of `reports` is derived from runs is as the runs are now: the table of switches, and the traces of the findings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { switches } from "../../reports/switches.js";
import { withTraces } from "../../scripts/findings.js";
import { mistakes, runSwitch, switchesPage } from "../../scripts/switches.js";
import { packageRoot } from "../../src/session/open.js";
import { openBundled } from "../models/variant.js";

const session = openBundled();
const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
const read = (...path: string[]) => readFileSync(join(packageRoot(), "reports", ...path), "utf8");
const rows = switches.map((row) => runSwitch(session, row));

describe("switches", () => {
  it.each(rows.map((row) => [`${row.row.commit} in ${row.row.suite}`, row] as const))(
    "%s: red without it, and with it what is claimed",
    (_, row) => {
      expect(mistakes(row)).toEqual([]);
    },
  );

  it("stand in switches.md as they come out", () => {
    expect(read("switches.md")).toBe(switchesPage(rows));
  });

  it("a row whose commit changes nothing is a mistake", () => {
    const [first] = switches;
    const same = runSwitch(session, { ...first!, without: {}, with: {} });
    expect(mistakes(same)).toEqual(["b54240ad4943 in probe/failing-walk: L1 is not violated without it"]);
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
