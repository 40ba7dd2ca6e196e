/** What a certificate claims is what its states and steps show, or it is refused with the state that shows otherwise. */
import { describe, expect, test } from "vitest";
import { readCertificate } from "../../src/certify/certificate.js";
import { ModelError } from "../../src/lang/errors.js";
import { certificationText } from "../../src/report/certification.js";
import { plain } from "../../src/report/style.js";
import { checksOfSuite } from "../../src/session/run-suite.js";
import { tiny } from "../support/model.js";
import { certified, changed, FILE, type Made, refusalOf, verified, withClaim, withoutState } from "./made.js";

/** Threads t and u on a box that may point to an object. */
const boxes = (procedures: string, properties = "", more = "terminates: true") =>
  tiny({
    procedures: procedures.includes("function* u") ? procedures : `${procedures}\nfunction* u(b) {}`,
    structs: `box: { n: counter(3), g: counter(2).guardedBy("m"), go: flag(), old: flag().ghost(), m: mutex(), m2: mutex(), rc: refcount(2), p: ref("obj"), q: ref("obj") }, obj: { v: counter(1) }`,
    make: `const b = make("box", "b"); const o = make("obj", "o"); b.p = o;`,
    threads: `thread("t", t, b), thread("u", u, b)`,
    more: `pools: { obj: 2 }, faults: 1, properties: [${properties}], ${more}`,
  });
const claiming = (window: string) => `claim("P", windows(s).${window})`;

const claimed = ({ bytes }: Made, check: string) => readCertificate(bytes, FILE).claims.verdicts[check];

describe("each verdict is one that the states show:", () => {
  const walk = "function* t(b) { yield; b.n = 1; yield; b.n = 2; }";
  test.each<[string, string, string]>([
    ["P", "always", boxes(walk, claiming(`always("box", (b) => b.n < 2)`))],
    ["P", "atRest", boxes(walk, claiming(`atRest("box", "m", (b) => b.n < 2)`))],
    ["P", "onStep", boxes(walk, claiming(`onStep("box", (b, before) => before(() => b.n) === 0)`))],
    ["P", "atEnd", boxes(walk, claiming(`atEnd("box", (b) => b.n < 2)`))],
    [
      "P",
      "onReturn",
      boxes(
        "function* half(b) { yield; return 1; }\nfunction* t(b) { yield* half(b); }",
        claiming(`onReturn("half", (_, ret) => ret > 1)`),
      ),
    ],
    ["null-deref", "of a field", boxes("function* t(b) { yield; b.q.v = 1; }")],
    ["use-after-free", "of a pointer", boxes("function* t(b) { yield; kfree(b.p); b.p.v = 1; }")],
    ["double-free", "of a pointer", boxes("function* t(b) { yield; kfree(b.p); kfree(b.p); }")],
    ["refcount", "a put below zero", boxes("function* t(b) { yield; kref_put(b.rc); }")],
    [
      "lockdep",
      "two orders",
      boxes(
        "function* t(b) { yield* mutex_lock(b.m); yield* mutex_lock(b.m2); mutex_unlock(b.m2); mutex_unlock(b.m); }\nfunction* u(b) { yield* mutex_lock(b.m2); yield* mutex_lock(b.m); mutex_unlock(b.m); mutex_unlock(b.m2); }",
      ),
    ],
    ["lockdep", "a return with a mutex", boxes("function* t(b) { yield* mutex_lock(b.m); }")],
    ["stuck", "a wait for nothing", boxes("function* t(b) { yield until(() => b.go); }")],
    ["livelock", "a loop without end", boxes("function* t(b) { while (!b.go) { yield; b.n = 1 - b.n; } }")],
    ["warn-on", "a warning", boxes("function* t(b) { yield; WARN_ON(b.n === 0); }")],
    ["bug-on", "a bug", boxes("function* t(b) { yield; BUG_ON(b.n === 0); }")],
    ["guarded-by", "an access", boxes("function* t(b) { yield; b.g = 1; }")],
    [
      "atomicity",
      "a coarse step",
      boxes("function* t(b) { yield; b.n = 1; b.go = true; }\nfunction* u(b) { yield; b.n = 2; yield; b.go = false; }"),
    ],
    ["leak", "at the end", boxes("function* t(b) { yield; b.q = kzalloc(s, 'obj'); yield; b.q = null; }")],
    ["leak", "of a pool", boxes("function* t(b) { for (;;) { yield; b.q = kzalloc(s, 'obj'); yield; b.q = null; } }", "", "")],
    ["dangling", "of a pool", boxes("function* t(b) { yield; kfree(b.p); yield; b.q = kzalloc(s, 'obj'); yield; kzalloc(s, 'obj'); }")],
  ])("%s: %s", (check, _, text) => {
    const made = certified(text);
    expect([claimed(made, check), refusalOf(made.certification)]).toEqual(["violated", null]);
    const refused = verified(made, withClaim(made.bytes, check, "holds"));
    expect(refusalOf(refused)).toMatch(new RegExp(`^${check} is violated, and is claimed to hold: .`));
    expect([refused.verification?.refusal?.where?.state, refused.exitCode]).toEqual([expect.anything(), 1]);
    expect(refusalOf(verified(made, withClaim(made.bytes, check, "vacuous")))).toMatch(/ is violated, and is claimed to be vacuous: /);
  });

  test("nothing of it where nothing is wrong", () => {
    const made = certified(boxes(walk, claiming(`always("box", (b) => b.n < 3)`)));
    expect(refusalOf(made.certification)).toBeNull();
    for (const check of checksOfSuite(made.suite)) {
      expect([check, claimed(made, check)]).toEqual([check, "holds"]);
      expect(refusalOf(verified(made, withClaim(made.bytes, check, "violated")))).toBe(
        `${check} is claimed to be violated, and no state or step of the set does so`,
      );
    }
  });

  test("nothing of it where slots are used again", () => {
    const made = certified(
      boxes("function* t(b) { for (;;) { yield idle(); const o = kzalloc(s, 'obj'); b.q = o; yield; b.q = null; kfree(o); } }"),
    );
    expect([claimed(made, "use-after-free"), claimed(made, "leak"), refusalOf(made.certification)]).toEqual(["holds", "holds", null]);
  });

  test("a property that is never put to the test, and a witness", () => {
    const never = certified(boxes(walk, claiming(`always("box", (b) => (b.go ? false : null))`)));
    expect([claimed(never, "P"), refusalOf(never.certification), never.certification.exitCode]).toEqual(["vacuous", null, 1]);
    expect(refusalOf(verified(never, withClaim(never.bytes, "P", "holds")))).toBe("P is claimed to hold, and is never put to the test");
    const once = certified(boxes(walk, claiming(`sometimes("box", (b) => b.n === 2)`)));
    expect([claimed(once, "P"), refusalOf(once.certification)]).toEqual(["holds", null]);
    expect(refusalOf(verified(once, withClaim(once.bytes, "P", "vacuous")))).toBe("P is claimed to be vacuous, and is put to the test");
    const nowhere = certified(boxes(walk, claiming(`sometimes("box", (b) => b.go)`)));
    expect([claimed(nowhere, "P"), refusalOf(nowhere.certification)]).toEqual(["vacuous", null]);
  });

  test("a model that is at fault has no certificate", () => {
    expect(() => certified(boxes("function* t(b) { yield; b.n = 7; }"))).toThrow(ModelError);
  });
});

describe("the set", () => {
  /** States 0 to 4: b.n goes from 0 to 3, and the end is one of its own. */
  const line = certified(
    boxes(
      "function* t(b) { yield; b.n = 1; yield; b.n = 2; yield; b.n = 3; yield; }",
      claiming(`always("box", (b) => !b.old || b.n > 0)`),
      "",
    ),
  );
  const states = readCertificate(line.bytes, FILE).claims.states;

  test("has every state that a step leads to", () => {
    expect(states).toBeGreaterThan(5);
    for (let number = 0; number < states; number++) {
      const told =
        number === 0 ? /^the initial state is not in the set$/ : /^a step out of state \d+ leads to a state that is not in the set$/;
      expect(refusalOf(verified(line, withoutState(line.bytes, number)))).toMatch(told);
    }
    expect(
      refusalOf(
        verified(
          line,
          changed(line.bytes, () => ({ states: [] })),
        ),
      ),
    ).toBe("the initial state is not in the set");
  });

  test("shows which state is missing, and where it is missing from", () => {
    const refused = verified(line, withoutState(line.bytes, states - 1));
    const text = certificationText(refused, { certificate: "x.cert", suites: null }, { width: 200, style: plain });
    expect(text).toMatch(/^REFUSED {6}tiny · a step out of state \d+ leads to a state that is not in the set/);
    expect(text).toMatch(/\n {13}state \d+, and what is not as at the start:\n {13} {2}t .*\n {13} {2}b\.n = 3\n/);
    expect(text).toMatch(/\n {13}the step of \w:\n {13} {2}\w has ended\n/);
  });

  /** The certificate with a ghost field set in copies of the states that are chosen. */
  const haunted = (isChosen: (b: { n: number; number: number }) => boolean) =>
    changed(line.bytes, ({ form, states }) => {
      const n = form.cells.filter((cell) => "bytes" in cell).findIndex(({ name }) => name === "b.n");
      const old = form.cells.findIndex(({ name }) => name === "b.old");
      const before = form.cells.slice(0, old).filter((cell) => "bytes" in cell).length;
      const withOld = (state: Buffer, value: number) =>
        Buffer.concat([state.subarray(0, before), Buffer.of(value), state.subarray(before)]);
      const chosen = states.filter((state, number) => isChosen({ n: state[n] as number, number }));
      return {
        form: { ...form, cells: form.cells.map((cell, position) => (position === old ? { name: cell.name, bytes: 1 } : cell)) },
        states: [...states.map((state) => withOld(state, 0)), ...chosen.map((state) => withOld(state, 1))],
      };
    });

  test("may be larger than what can happen, and then says so", () => {
    const last = verified(
      line,
      haunted(({ number }) => number === states - 1),
    );
    expect([refusalOf(last), last.verification?.unreached, last.exitCode]).toEqual([null, 1, 0]);
    const several = verified(
      line,
      haunted(({ n }) => n > 0),
    );
    expect(refusalOf(several)).toBeNull();
    expect(several.verification?.unreached).toBe((several.verification?.states as number) - states);
    expect(certificationText(several, { certificate: null, suites: null }, { width: 300, style: plain })).toContain(
      "states of the set are not known to be reached: what holds holds all the same",
    );
    expect(line.certification.verification?.unreached).toBe(0);
  });

  test("is closed and keeps what is claimed where nothing leads, too", () => {
    expect(
      refusalOf(
        verified(
          line,
          haunted(({ n }) => n === 1),
        ),
      ),
    ).toMatch(/leads to a state that is not in the set$/);
    const refused = verified(
      line,
      haunted(() => true),
    );
    expect(refusalOf(refused)).toBe("P is violated, and is claimed to hold: P");
    expect(refused.verification?.refusal?.where).toMatchObject({ number: states, step: null });
  });

  test("is not taken to be all that it says nothing of", () => {
    // As if b.n never changed.
    const still = changed(line.bytes, ({ form, states }) => {
      const n = form.cells.filter((cell) => "bytes" in cell).findIndex(({ name }) => name === "b.n");
      return {
        form: { ...form, cells: form.cells.map((cell) => (cell.name === "b.n" ? { name: cell.name, value: 0 } : cell)) },
        states: states.map((state) => Buffer.concat([state.subarray(0, n), state.subarray(n + 1)])),
      };
    });
    expect(refusalOf(verified(line, still))).toMatch(/leads to a state that is not in the set$/);
  });

  test("has where a thread stands only behind a step that leads there", () => {
    const turned = changed(line.bytes, ({ states }) => ({ states: [states.at(-1) as Buffer, ...states.slice(0, -1)] }));
    expect(refusalOf(verified(line, turned))).toBe("in state 0 a thread stands where no step out of the states before it leads");
  });
});
