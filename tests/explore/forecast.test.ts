import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import ledger from "../../reports/ledger.json" with { type: "json" };
import { exploreFast } from "../../src/explore/fast.js";
import type { Forecast } from "../../src/explore/forecast.js";
import { ModelError } from "../../src/lang/errors.js";
import { forecastOfSuite } from "../../src/session/forecast-suite.js";
import { bundledSuites, modelLoader, openWith } from "../../src/session/open.js";
import { checksOfSuite, finish, machineOf } from "../../src/session/run-suite.js";
import { models } from "../random/grow.js";
import { type Loaded, load } from "../support/model.js";

const MOST_STATES = 2000;

/** How many states a model has, whatever is wrong with them; null if it is refused, or they are too many. */
function statesOf({ session, suite }: Loaded): number | null {
  const goOnAfter = new Set(checksOfSuite(suite));
  try {
    const { end, states } = finish(
      exploreFast(machineOf(session, suite), { goOnAfter, traces: false, limits: { maxStates: MOST_STATES } }),
    );
    return end.kind === "complete" ? states : null;
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

function forecastOf({ session, suite }: Loaded, sample: number, seed = 1): Forecast {
  return finish(forecastOfSuite(session, suite, {}, { sample, seed }));
}

describe("of random models", () => {
  const RUNS = 40;

  test("a sample of all states is exact, and a smaller one expects no fewer than it found", () => {
    const kinds = { exact: 0, smaller: 0 };
    fc.assert(
      fc.property(models, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (text, share) => {
        const loaded = load(text);
        const states = statesOf(loaded);
        if (states === null) return;
        const whole = forecastOf(loaded, states);
        expect(whole.expected?.states).toEqual({ low: states, middle: states, high: states });
        kinds.exact++;
        const { sample, expected } = forecastOf(loaded, Math.ceil(share * states));
        if (expected === null) throw new Error("nothing stopped it");
        for (const { low, middle, high } of Object.values(expected)) expect(low <= middle && middle <= high).toBe(true);
        expect(expected.states.low).toBeGreaterThanOrEqual(sample.states);
        if (!sample.isAll) kinds.smaller++;
      }),
      { numRuns: RUNS },
    );
    expect(kinds.exact).toBeGreaterThan(RUNS / 3);
    expect(kinds.smaller).toBeGreaterThan(RUNS / 10);
  });
});

describe("of bundled suites", () => {
  const session = openWith(modelLoader({ typecheck: false }), bundledSuites());
  const suiteNamed = (name: string): Loaded => {
    const suite = session.suites.find((each) => each.name === name);
    if (suite === undefined) throw new Error(`there is no suite ${name}`);
    return { session, suite };
  };

  it("the same seed says the same, and another walks elsewhere", () => {
    const loaded = suiteNamed("ownership/smmuv3-virt/one-failure");
    const [first, again, other] = [1, 1, 2].map((seed) => forecastOf(loaded, 500, seed));
    expect(again?.sample.walks).toEqual(first?.sample.walks);
    expect(again?.expected?.states).toEqual(first?.expected?.states);
    expect(other?.sample.walks).not.toEqual(first?.sample.walks);
  });

  it("most are within the interval, of samples of a fortieth", () => {
    const sized = Object.entries(ledger).filter(([, { states }]) => states >= 6000 && states <= 16_000);
    const within = sized.filter(([name, { states }]) => {
      const expected = forecastOf(suiteNamed(name), Math.ceil(states / 40)).expected;
      return expected !== null && expected.states.low <= states && states <= expected.states.high;
    });
    expect(sized.length).toBeGreaterThan(20);
    expect(within.length / sized.length).toBeGreaterThanOrEqual(0.7);
  });

  it("a limit or an interrupt leaves nothing to expect", () => {
    const { suite } = suiteNamed("ownership/intel-q35/group16");
    const limits = { timeoutSeconds: 1e-6 };
    const late = finish(forecastOfSuite(session, suite, {}, { sample: 1_000_000, seed: 1, limits }));
    expect([late.sample.stopped, late.expected]).toEqual(["time", null]);
    const working = forecastOfSuite(session, suite, {}, { sample: 1_000_000, seed: 1 });
    let step = working.next();
    while (!step.done) step = working.next("interrupt");
    expect([step.value.sample.stopped, step.value.expected]).toEqual(["interrupt", null]);
  });
});
