import { read } from "@dagrejs/graphlib-dot";
import { describe, expect, it } from "vitest";
import type { JsonFailure } from "../../src/report/json.js";
import type { JsonGraph } from "../../src/report/json-graph.js";
import { iommuMc, small } from "./helpers.js";

const graph = (...words: readonly string[]) => iommuMc(["graph", ...words]);

describe("graph", () => {
  it.each([["procedures"], ["lock-order"], ["topology"]])("%s prints DOT", async (kind) => {
    const { code, stdout, stderr } = await graph(kind, small, "--suite", "small/holds");
    expect([code, stderr]).toEqual([0, ""]);
    expect(read(stdout).isDirected()).toBe(true);
  });

  it("--json prints the same as a document", async () => {
    const { stdout } = await graph("topology", small, "--suite", "small/known", "--json");
    const document = JSON.parse(stdout) as JsonGraph;
    expect(document).toMatchObject({ command: "graph", graph: "topology", suite: "small/known", edges: [], exitCode: 0 });
    expect(document.nodes).toEqual([{ id: "account 0", label: "acc\naccount", group: null }]);
  });

  it("of one suite wants to know of which", async () => {
    const { code, stdout } = await graph("topology", small, "--json");
    expect(code).toBe(2);
    const { error } = JSON.parse(stdout) as JsonFailure;
    expect(error.message).toBe("topology is of one suite, and 4 are meant");
    expect(error.hint).toContain("small/holds");
  });

  it("knows no other", async () => {
    const { code, stderr } = await graph("heap");
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are procedures, lock-order, topology");
  });

  it("says by its exit code that a limit kept it from seeing all", async () => {
    const { code, stdout } = await graph("lock-order", small, "--suite", "small/holds", "--max-states", "3");
    expect(code).toBe(3);
    expect(stdout).toContain("as far as the run came");
  });
});
