/** What drivers' operations touch, and of what: by small models, and of the drivers of Linux. */
import { describe, expect, it } from "vitest";
import { Footprints } from "../../src/audit/footprint.js";
import { addFootprints, type OperationRow, operationRows } from "../../src/audit/operations.js";
import { withCommits } from "../../src/lang/design.js";
import type { Suite } from "../../src/lang/suite.js";
import { designsOf } from "../../src/session/design-spec.js";
import { bundledSuites, modelLoader, openWith, type Session } from "../../src/session/open.js";
import { finish } from "../../src/session/run-suite.js";
import { load } from "../support/model.js";

/** The rows of the design, over the scenarios of the suites. */
function rowsOf({ locate }: Session, design: Suite["design"], suites: readonly Suite[]): Map<string, OperationRow> {
  const footprints = new Footprints();
  for (const suite of suites) {
    expect(finish(addFootprints(locate, suite, design, {}, footprints)).kind).toBe("complete");
  }
  return new Map(operationRows(design, footprints).map((row) => [row.operation, row]));
}

interface Model {
  /** Functions and procedures; those called after an operation of the table are our driver's. */
  readonly functions: string;
  /** What the thread does with the domain `a`, the device `d`, which is on it, and the domain `b`. */
  readonly body: string;
}

const STRUCTS = `
  device: { domain: ref("domain"), n: counter(3), seen: setOf("domain").ghost() },
  domain: { type: enumeration("DMA", "IDENTITY"), n: counter(3), first: ref("device") },
  core: { n: counter(3) },`;

function rowsOfModel({ functions, body }: Model): Map<string, OperationRow> {
  const operations = ["op", "outer"].filter((name) => functions.includes(` ${name}(`));
  const { session, suite } = load(`
const s = schema({ ${STRUCTS} });
const core = s.struct("core").view(0);
${functions}
const { ours } = operations(s, { ours: { ${operations.join()} }, theirs: { other() {} } });
function* t(a, d, b) { yield; ${body} }
export const tiny = suiteOf(s, { pools: { domain: 3 } }, (make) => {
  make("core", "core");
  const a = make("domain", "a");
  const b = make("domain", "b", { type: "IDENTITY" });
  const d = make("device", "d", { domain: a });
  return [thread("t", t, a, d, b)];
});`);
  return rowsOf(session, suite.design, [suite]);
}

function ours(rows: ReadonlyMap<string, OperationRow>, operation: string) {
  const { needs, uses, ...row } = rows.get(operation)!.drivers.find(({ driver }) => driver === "ours")!;
  return { ...row, needs: Object.fromEntries(needs), uses: uses.map(({ from, what }) => `${from}: ${what}`) };
}

describe("an operation", () => {
  it("needs the argument whose fields it touches, and not the other", () => {
    const rows = rowsOfModel({ functions: "function op(domain, dev) { dev.n = 1; }", body: "ours.op(b, d);" });
    expect(ours(rows, "op")).toMatchObject({ needs: { domain: "no", device: "yes" }, uses: ["device: n (write)"] });
  });

  it("needs the device for a domain that it reaches from it", () => {
    const rows = rowsOfModel({ functions: "function op(domain, dev) { dev.domain.n = 1; }", body: "ours.op(b, d);" });
    expect(ours(rows, "op")).toMatchObject({ needs: { domain: "no", device: "yes" }, uses: ["device: domain->n (write)"] });
  });

  it("may need either where both lead to the same object", () => {
    const functions = "function op(domain, dev) { if (dev.domain !== null) domain.n = 1; }";
    const rows = rowsOfModel({ functions, body: "ours.op(a, d);" });
    expect(ours(rows, "op")).toMatchObject({ needs: { domain: "perhaps", device: "yes" } });
    // With another domain it can be told.
    expect(ours(rowsOfModel({ functions, body: "ours.op(b, d);" }), "op").needs).toEqual({ domain: "yes", device: "yes" });
  });

  it("needs no argument that its implementation does not take", () => {
    const rows = rowsOfModel({ functions: "function op(dev) { dev.domain.n = 1; }", body: "ours.op(d, a);" });
    expect(ours(rows, "op").needs).toEqual({ device: "yes", domain: "no" });
  });

  it("needs an argument that it keeps", () => {
    const rows = rowsOfModel({ functions: "function op(domain, dev) { dev.domain = domain; }", body: "ours.op(b, d);" });
    expect(ours(rows, "op")).toMatchObject({
      needs: { domain: "yes", device: "yes" },
      uses: ["device: domain (write)", "domain: itself (kept in device.domain)"],
    });
  });

  it("needs no argument for what everybody can reach, or for what the C has not", () => {
    const rows = rowsOfModel({
      functions: "function op(domain, dev) { core.n = 1; if (dev.seen.has(domain)) core.n = 2; }",
      body: "ours.op(b, d);",
    });
    expect(ours(rows, "op")).toMatchObject({ needs: { domain: "no", device: "no" }, uses: ["anywhere: core->n (write)"] });
  });

  it("is told who calls it, and with what kind of object", () => {
    const functions = "function op(domain) { domain.n = 1; } function* attach(domain) { ours.op(domain); }";
    const rows = rowsOfModel({ functions, body: "yield* attach(a); ours.op(b);" });
    expect(rows.get("op")).toMatchObject({
      callers: ["attach", "t"],
      kinds: [{ parameter: "domain", values: ["DMA", "IDENTITY"] }],
      parameters: ["domain"],
    });
  });

  it("is one where it is called from another", () => {
    const functions = "function op(dev) { dev.n = 1; } function outer(domain) { ours.op(domain.first); }";
    const rows = rowsOfModel({ functions, body: "b.first = d; yield; ours.outer(b);" });
    expect(ours(rows, "op").needs).toEqual({ device: "yes" });
    expect(ours(rows, "outer")).toMatchObject({ needs: { domain: "yes" }, uses: ["domain: first->n (write)"] });
  });
});

describe("an operation that is a procedure", () => {
  it("keeps its pointers over yields", () => {
    const functions = "function* op(domain, dev) { const old = dev.domain; yield; old.n = 1; yield; domain.n = 2; }";
    expect(ours(rowsOfModel({ functions, body: "yield* ours.op(b, d);" }), "op")).toMatchObject({
      needs: { domain: "yes", device: "yes" },
      uses: ["device: domain->n (write)", "domain: n (write)"],
    });
  });

  it("has all the ways by which it can come to a place", () => {
    // Both branches lead to the same control state, whose code is learned once.
    const functions =
      "function* op(domain, dev) { const to = choose('which', [1, 2]) === 1 ? dev.domain : domain.first.domain; yield; to.n = 1; }";
    expect(ours(rowsOfModel({ functions, body: "b.first = d; yield; yield* ours.op(b, d);" }), "op").uses).toContain(
      "device or domain: domain->n (write)",
    );
  });

  it("does not know the pointers of who calls it", () => {
    const functions = "function* op(dev) { yield; dev.domain.n = 1; }";
    const rows = rowsOfModel({ functions, body: "const mine = d.domain; yield* ours.op(d); mine.n = 2;" });
    expect(ours(rows, "op").uses).toEqual(["device: domain->n (write)"]);
  });

  it("has freed what it frees, and says nothing of what it has made itself", () => {
    const functions = "function* op(dev) { const made = kzalloc(s, 'domain'); made.n = 1; yield; kfree(dev.domain); dev.domain = made; }";
    expect(ours(rowsOfModel({ functions, body: "yield* ours.op(d);" }), "op").uses).toEqual(["device: domain (free, read, write)"]);
  });
});

describe("a driver without the operation", () => {
  it("is asked, and done without", () => {
    const rows = rowsOfModel({ functions: "function op() {}", body: "if (ours.other !== undefined) ours.other();" });
    expect(ours(rows, "other")).toMatchObject({ status: "absent", askedBy: ["t"], calledBy: [] });
    expect(ours(rows, "op").status).toBe("uncalled");
  });

  it("is called all the same", () => {
    const rows = rowsOfModel({ functions: "function op() {}", body: "ours.other(d);" });
    expect(ours(rows, "other")).toMatchObject({ status: "absent", calledBy: ["t"] });
  });
});

describe("the drivers of Linux", () => {
  const session = openWith(modelLoader({ typecheck: false }), bundledSuites());

  const needsOf = (row: OperationRow) => Object.fromEntries(row.needs);

  /**
   * 5.10.223: amd_iommu_is_attach_deferred (drivers/iommu/amd/iommu.c line 2718) and intel_iommu_is_attach_deferred (intel/iommu.c
   * line 6138) are told of a domain, and intel_iommu_apply_resv_region (line 5974) of a device, at which they do not look.
   */
  it("are told more than they look at", () => {
    const design = designsOf(session.suites).get("ops-5.10")!;
    const rows = rowsOf(
      session,
      design,
      session.suites.filter((suite) => suite.design.name === "ops-5.10"),
    );
    expect(needsOf(rows.get("is_attach_deferred")!)).toEqual({ iommu_domain: "no", device: "yes" });
    expect(needsOf(rows.get("apply_resv_region")!)).toEqual({ device: "no", iommu_domain: "yes" });
    expect(needsOf(rows.get("attach_dev")!)).toEqual({ iommu_domain: "yes", device: "yes" });
  });

  /** 6.1.176: intel_iommu_is_attach_deferred (line 4771) and amd_iommu_is_attach_deferred (line 2390) take no domain any more, and read the device's data. */
  it("decide whether to defer an attach by the device alone", () => {
    const design = designsOf(session.suites).get("linux-6.1")!;
    const suites = session.suites.filter(
      ({ design: { name }, name: suite }) =>
        name === "linux-6.1" && /^(deferred-attach\/first-map|registration\/of-the-second\/amd_iommu)$/.test(suite),
    );
    expect(suites.length).toBe(2);
    const row = rowsOf(session, design, suites).get("is_attach_deferred")!;
    expect(needsOf(row)).toEqual({ device: "yes" });
    const used = new Map(row.drivers.map(({ driver, uses }) => [driver, uses.map(({ from, what }) => `${from}: ${what}`)]));
    expect(used.get("intel_iommu")).toEqual(["anywhere: iommu_core->is_kdump_kernel (read)", "device: iommu->priv->domain (read)"]);
    expect(used.get("amd_iommu")).toEqual(["device: iommu->priv->attach_deferred (read)"]);
    // dd8a25c557e1 (v6.3), after 1b932ceddd19, asks once, when the device is probed.
    const since = rowsOf(session, withCommits(design, "1b932ceddd19", "dd8a25c557e1"), suites).get("is_attach_deferred")!;
    expect(row.callers).toContain("iommu_deferred_attach");
    expect(since.callers).not.toContain("iommu_deferred_attach");
  });
});
