import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { markdownReport, prose, suitePage } from "../../src/report/markdown.js";
import { PAGE_MARK, pagesOf } from "../../src/report/pages.js";
import type { SuiteRun } from "../../src/session/run-suite.js";
import { file, race, renamed, resultOf, run, session } from "./runs.js";

const options = { abstractions: session.abstractions, file };
const page = (run: SuiteRun) => suitePage(resultOf(run), options);

describe("a page", () => {
  it("says what is assumed, in which direction it errs, and under which bounds", () => {
    const text = page(run("small/holds"));
    for (const part of [
      "# small/holds\n\ntwo customers deposit at the same time.\n\n**Held**\n",
      "| design | bank-1 1.0 (test) |",
      "| faults | no faults (policy contract) |",
      "| explored | every reachable state: 15 states, 20 transitions, depth 6 |",
      "These may hide a bug:\n\n- the two CPUs see memory in one order\n\nThese may cry wolf:\n\n- an unlucky user",
      "| D1 | every deposit counts | holds | holds |",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("has each trace as text and as a diagram, and the command that shows it", () => {
    const text = page(race());
    expect(text).toContain("**Violated: D1**");
    expect(text).toContain("| D1 | every deposit counts | VIOLATED | holds |");
    expect(text).toMatch(
      /```text\n {5}ann +bob +│ changes\n[\s\S]*because {3}acc\.balance = 1\n```\n\n```mermaid\nsequenceDiagram\n[\s\S]*```\n\n```sh\niommu-mc replay small\/holds [\d.]+ --file \S+ --revert aaaaaaaaaaaa\n```\n$/,
    );
  });

  it("says why a violation is expected, what is vacuous, unfinished, or not run", () => {
    expect(page(run("small/known"))).toContain("**As expected: P1 violated**");
    expect(page(run("small/known"))).toContain("| violated | violated: the clerk's known weakness |");
    expect(page(run("small/vacuous"))).toContain("| V1 | an open account has a balance | VACUOUS | holds |");
    const limited = page(run("small/holds", { limits: { maxStates: 3 } }));
    expect(limited).toContain("**Unfinished: a limit was hit");
    expect(limited).toContain("| D1 | every deposit counts | unfinished | holds |");
    const suite = session.suites[0]!;
    expect(suitePage({ kind: "not-run", suite }, options)).toContain("Not run");
    expect(suitePage({ kind: "error", suite, error: new ModelError("wrong", "Mend it.") }, options)).toContain("wrong\n  Mend it.");
  });

  it("is the same from run to run, and of several suites one after the other", () => {
    expect(page(race())).toBe(page(race()));
    const both = markdownReport([resultOf(run("small/holds")), resultOf(run("small/null"))], options);
    expect(both).toBe(`${page(run("small/holds"))}\n${page(run("small/null"))}`);
  });

  it("lets no name mean anything to Markdown", () => {
    expect(prose("__a_b__ <x> | `c` [d](e)")).toBe("\\_\\_a\\_b\\_\\_ &lt;x\\> \\| \\`c\\` \\[d\\](e)");
    const odd = page(renamed(race(), () => "```\n# x"));
    // The fence is longer than what is inside.
    expect(odd).toMatch(/\n````text\n/);
    const outside = odd.replace(/^(````?)\w+\n[\s\S]*?^\1$/gm, "");
    expect(outside.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
  });
});

describe("pages", () => {
  const renamedTo = (name: string): SuiteRun => ({ ...race(), suite: { ...race().suite, name } });

  it("have names that any file system takes, with an index that leads to them", () => {
    const pages = pagesOf([renamedTo("b/two words"), renamedTo("../a"), run("small/holds")], options);
    expect([...pages.keys()]).toEqual(["index.md", "-/a.md", "b/two-words.md", "small/holds.md"]);
    const index = pages.get("index.md") as string;
    expect(index).toContain("[b/two words](b/two-words.md) | Violated: D1 |");
    expect(index).toContain(
      "[small/holds](small/holds.md) | Held | 15 | 20 | 6 | account acc; no faults (policy contract); 2 threads (ann, bob)",
    );
    expect([...pages.values()].every((text) => text.startsWith(PAGE_MARK))).toBe(true);
  });

  it("of two suites are never the same", () => {
    expect(() => pagesOf([renamedTo("a b"), renamedTo("A?b")], options)).toThrow("the page of suite a b would be that of suite A?b");
    expect(() => pagesOf([renamedTo("index")], options)).toThrow("would be that of the index");
  });
});
