/** Whatever the fast engine says of random models is certified, and nothing else of them is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClaimedVerdict, readCertificate } from "../../src/certify/certificate.js";
import { ModelError } from "../../src/lang/errors.js";
import { makeCertificate } from "../../src/session/certify.js";
import { finish } from "../../src/session/run-suite.js";
import { models } from "../random/grow.js";
import { type Forget, forgetfulMachine, patchesOnly } from "../support/forgetful.js";
import { load, tiny } from "../support/model.js";
import { FILE, type Made, made, refusalOf, verified, withClaim, withoutState } from "./made.js";

/** Models with more states are left out: to look at each takes the plain semantics half a millisecond. */
const MOST_STATES = 300;
const RUNS = 120;

/** Null for a model that is refused, at fault or too large. */
function attempt(text: string): Made | null {
  try {
    const one = made(load(text), { limits: { maxStates: MOST_STATES } });
    return one.certification.certificate === null ? null : one;
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

test("certificates of random models are accepted, and mutants of them refused", () => {
  const verdicts: ClaimedVerdict[] = ["holds", "violated", "vacuous"];
  const seen = new Set<string>();
  let certified = 0;
  fc.assert(
    fc.property(models, fc.nat(), fc.nat(), fc.constantFrom(...verdicts), (text, someState, someCheck, verdict) => {
      const one = attempt(text);
      if (one === null) return;
      certified++;
      const { claims } = readCertificate(one.bytes, FILE);
      expect([refusalOf(one.certification), one.certification.verification]).toMatchObject([null, { states: claims.states, unreached: 0 }]);
      expect(refusalOf(verified(one, withoutState(one.bytes, someState % claims.states)))).not.toBeNull();
      const checks = Object.keys(claims.verdicts);
      const check = checks[someCheck % checks.length] as string;
      expect(refusalOf(verified(one, withClaim(one.bytes, check, verdict))) === null).toBe(claims.verdicts[check] === verdict);
      for (const claimed of checks) seen.add(`${claimed} ${claims.verdicts[claimed]}`);
    }),
    { numRuns: RUNS },
  );
  expect(certified).toBeGreaterThan(RUNS / 3);
  // Else there would have been little to be wrong about.
  expect([...seen].filter((claim) => claim.endsWith(" violated")).length).toBeGreaterThan(8);
});

describe("an explorer that has learned something wrong is caught by", () => {
  const blind = tiny({
    procedures: "function* clear(b) { for (;;) { yield; b.flag = false; } }\nfunction* set(b) { yield; b.flag = true; }",
    structs: "box: { flag: flag() }",
    make: `const b = make("box", "b");`,
    threads: `thread("clear", clear, b), thread("set", set, b)`,
  });
  const used = tiny({
    procedures:
      "function* use(b) { for (let i = 0; i < 2; i++) { yield; b.v = !b.v; } }\nfunction* stop(b) { yield; b.off = true; WARN_ON(b.v); }",
    structs: "box: { v: flag(), off: flag() }",
    make: `const b = make("box", "b");`,
    threads: `thread("use", use, b), thread("stop", stop, b)`,
  });
  /** Sees no warnings, as if they were not reported. */
  const withoutReports: Forget = () => ({ reports: [] });

  test.each<[string, string, Forget, RegExp]>([
    ["a state that it has missed", blind, patchesOnly, /^a step out of state \d+ leads to a state that is not in the set$/],
    ["a warning that it has missed", used, withoutReports, /^warn-on is violated, and is claimed to hold: WARN_ON/],
  ])("%s", (_, text, forget, told) => {
    const loaded = load(text);
    const make = (forgetting: Forget) =>
      finish(makeCertificate(loaded.session, loaded.suite, { version: "test" }, forgetfulMachine(loaded, forgetting))).result as Buffer;
    expect(
      refusalOf(
        verified(
          loaded,
          make(() => ({})),
        ),
      ),
    ).toBeNull();
    expect(refusalOf(verified(loaded, make(forget)))).toMatch(told);
  });
});
