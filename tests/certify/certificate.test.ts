/** A certificate is what somebody wrote, or it is refused with the line that is wrong. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCertificate } from "../../src/certify/certificate.js";
import { ModelError } from "../../src/lang/errors.js";
import { tiny } from "../support/model.js";
import { certified, changed, FILE, refusalOf, verified } from "./made.js";

const counting = (most: number, name = "b") =>
  tiny({
    procedures: `function* t(b) { for (;;) { yield; if (b.n < ${most}) b.n++; else b.n = 0; } }`,
    structs: "box: { n: counter(300), never: flag() }",
    make: `const b = make("box", "${name}");`,
    threads: `thread("t", t, b)`,
    more: `properties: [claim("P", windows(s).always("box", (b) => b.n < 300))]`,
  });

const some = certified(counting(5));

function complaint(bytes: Buffer): string {
  try {
    return refusalOf(verified(some, bytes)) ?? "";
  } catch (error) {
    if (error instanceof ModelError && error.location?.file === FILE) return `${error.location.line}: ${error.message}`;
    throw error;
  }
}

describe("the file", () => {
  test("says in its first lines what it is about, and is accepted", () => {
    const [first, second, third] = some.bytes.toString("latin1").split("\n");
    expect(first).toBe("iommu-mc certificate 1");
    expect(JSON.parse(second as string)).toMatchObject({
      suite: "tiny",
      design: "tiny",
      states: 6,
      verdicts: { P: "holds", stuck: "holds" },
    });
    expect(third).toMatch(/^[0-9a-f]{64}$/);
    expect(complaint(some.bytes)).toBe("");
  });

  test("holds what changes in each record, and the rest once", () => {
    const { form, records } = readCertificate(some.bytes, FILE);
    expect(form.cells).toContainEqual({ name: "b.n", bytes: 2 });
    expect(form.cells).toContainEqual({ name: "b.never", value: 0 });
    expect(form.threads).toEqual([{ name: "t", bytes: 1, places: [expect.stringContaining("inline-model.ts:2:")] }]);
    expect(records.length).toBe(6 * 3);
  });

  test("is the same whatever folder it is written from", () => {
    const { form, claims } = readCertificate(some.bytes, FILE);
    expect(JSON.stringify([form, claims])).not.toContain(process.cwd());
  });
});

describe("what is not as it was written is refused:", () => {
  test("any bit", () => {
    for (let bit = 0; bit < some.bytes.length * 8; bit++) {
      const flipped = Buffer.from(some.bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect([bit, complaint(flipped)]).toEqual([bit, expect.stringMatching(/^[123]: /)]);
    }
  });

  test("any end too early, and what stands behind it", () => {
    for (let length = 0; length < some.bytes.length; length++)
      expect([length, complaint(some.bytes.subarray(0, length))]).toEqual([length, expect.stringMatching(/^[123]: /)]);
    expect(complaint(Buffer.concat([some.bytes, Buffer.from("\n")]))).toMatch(/^3: .* damaged/);
  });

  test.each([
    ["another form", "iommu-mc certificate 2\n{}\n\n", "1: this is a certificate of another form: iommu-mc certificate 2"],
    ["something else", '{"tool":"iommu-mc"}\n', "1: this is no certificate of iommu-mc"],
    ["one line", "iommu-mc certificate 1\n", "2: the certificate is cut off"],
  ])("%s", (_, text, told) => expect(complaint(Buffer.from(text))).toBe(told));
});

describe("a checksum can be forged; what is foreign or makes no sense is refused all the same:", () => {
  test.each<[string, Parameters<typeof changed>[1], RegExp]>([
    [
      "another design",
      ({ claims }) => ({ claims: { ...claims, designVersion: "other" } }),
      /^2: .* is of the design tiny other; here it is tiny test$/,
    ],
    ["another scenario", ({ claims }) => ({ claims: { ...claims, scenario: "other" } }), /^2: .* is of the scenario other/],
    ["another tool", ({ claims }) => ({ claims: { ...claims, version: "9" } }), /^2: .* was written by iommu-mc 9; here it is test$/],
    ["other models", ({ claims }) => ({ claims: { ...claims, models: "0" } }), /^2: .* was made of model files with the digest 0; here/],
    ["other checks", ({ claims }) => ({ claims: { ...claims, verdicts: {} } }), /^2: .* decides /],
    [
      "a commit that is none",
      ({ claims }) => ({ claims: { ...claims, apply: ["abcd"] } }),
      /^2: .* is of no variant of the suite: the model of tiny knows no commit abcd$/,
    ],
    [
      "other bounds",
      ({ claims }) => ({ claims: { ...claims, bounds: { ...claims.bounds, pools: { box: 2 } } } }),
      /^2: .* has other bounds than the scenario$/,
    ],
    [
      "more failures than any scenario has",
      ({ claims }) => ({ claims: { ...claims, bounds: { ...claims.bounds, faults: 1e9 } } }),
      /^2: .* is of no variant of the suite: the fault budget/,
    ],
    ["a verdict that is none", ({ claims }) => ({ claims: { ...claims, verdicts: { P: "true" as never } } }), /^2: .* does not say what/],
    ["no list of states", ({ form }) => ({ form: { ...form, cells: 3 as never } }), /^4: .* how its states are written/],
    [
      "cells of another design",
      ({ form }) => ({ form: { ...form, cells: form.cells.map((cell) => ({ ...cell, name: "x" })) } }),
      /^4: .* other parts/,
    ],
    [
      "a thread too many",
      ({ form, states }) => ({
        form: { ...form, threads: [...form.threads, { name: "u", bytes: 1, places: [] }] },
        states: states.map((state) => Buffer.concat([state, Buffer.of(0)])),
      }),
      /^4: .* other parts/,
    ],
    [
      "states of another size",
      ({ states }) => ({ states: states.map((state) => state.subarray(1)) }),
      /^4: .* claims 6 states, and has not as many$/,
    ],
    ["a state twice", ({ states }) => ({ states: [...states, states[2] as Buffer] }), /^4: state 6 of the certificate is state 2 again$/],
    [
      "a value that is none",
      ({ states }) => ({ states: [...states, Buffer.of(255, 255, 0)] }),
      /^4: state 6 of the certificate has no b\.n$/,
    ],
    ["a place that is none", ({ states }) => ({ states: [...states, Buffer.of(0, 0, 7)] }), /^in state 6 a thread stands where no step/],
  ])("%s", (_, change, told) => expect(complaint(changed(some.bytes, change))).toMatch(told));

  test("numbers that are too large for their bytes", () => {
    const wide = certified(counting(299));
    const narrow = changed(wide.bytes, ({ form, states }) => ({
      form: { ...form, cells: form.cells.map((cell) => ("bytes" in cell ? { ...cell, bytes: 1 } : cell)) },
      states: states.slice(0, 256).map((state) => Buffer.of(state[0] as number, state[2] as number)),
    }));
    expect(refusalOf(verified(wide, narrow))).toBe("a step out of state 255 leads to a state that is not in the set");
    const crowded = changed(some.bytes, ({ form }) => ({
      form: { ...form, threads: form.threads.map((thread) => ({ ...thread, places: Array(257).fill(thread.places[0]) })) },
    }));
    expect(complaint(crowded)).toMatch(/^4: .* how its states are written$/);
  });

  test("a certificate of a suite is none of another", () => {
    const other = certified(counting(5, "c"));
    expect(complaint(other.bytes)).toMatch(/^2: .* model files with the digest/);
  });

  test("whatever is written into it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.uint8Array({ maxLength: 20 }), (claims, form, state) => {
        const forged = changed(some.bytes, () => ({ claims: claims as never, form: form as never, states: [Buffer.from(state)] }));
        expect(complaint(forged)).toMatch(/^[24]: /);
      }),
    );
  });
});
