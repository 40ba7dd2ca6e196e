/**
 * npm run forecast-fit: how well runs of the bundled suites are forecast from samples, and what to write into
 * src/explore/forecast-fit.ts. Each suite, as it is and with one failure more, is explored to its end, and forecast from samples of
 * several shares of its states. Suites of one system are alike; the figures of each are of weights that were fitted without it.
 * The benchmark's models take no part in the fit; at the end it says how they are forecast.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { timed } from "../bench/sizes.js";
import { exploreFast } from "../src/explore/fast.js";
import { cluesOf, middleOf, type Sample } from "../src/explore/forecast.js";
import { forecastOfSuite } from "../src/session/forecast-suite.js";
import { bundledSuites, modelLoader, openWith, packageRoot, type Session } from "../src/session/open.js";
import { checksOfSuite, finish, machineOf } from "../src/session/run-suite.js";

const SHARES = [0.003, 0.01, 0.03, 0.1, 0.3];
const LEAST_SAMPLE = 100;
const LEAST_STATES = 5000;
const MOST_STATES = 1_500_000;
/** Ends of the classes of shares of the states that a sample saw, walks included. */
const CLASSES = [0.01, 0.03, 0.1, 0.3, 1];
const WHATS = ["states", "seconds"] as const;

type Measures = Record<(typeof WHATS)[number], number>;

interface Case {
  /** First part of the suite's name. */
  readonly system: string;
  readonly sample: Sample;
  readonly truth: Measures;
  readonly seen: number;
}

const options = { root: packageRoot(), typecheck: false };
const cases = casesOf(openWith(modelLoader(options), bundledSuites()), (faults) => [faults, faults + 1]);
const groups = new Map<string, Case[]>();
for (const each of cases) {
  const key = `${each.system} ${classOf(each)}`;
  groups.set(key, [...(groups.get(key) ?? []), each]);
}
const weighed = cases.map((each) => ({ ...each, weight: weightOf(each) }));
const systems = [...new Set(cases.map(({ system }) => system))];
const apart = systems.flatMap((system) => {
  const withoutIt = fitted(weighed.filter((each) => each.system !== system));
  return weighed.filter((each) => each.system === system).map((each) => ({ ...each, off: offBy(each, withoutIt) }));
});
const off = Object.fromEntries(WHATS.map((what) => [what, quantilesOf(what)]));
const weights = fitted(weighed);
console.log(JSON.stringify({ weights, off }, null, 2));
console.log(`${cases.length} samples of ${new Set(cases.map(({ truth }) => truth)).size} runs of ${systems.length} systems`);
for (const least of [LEAST_STATES, 20_000]) {
  for (const what of WHATS) {
    const row = CLASSES.map((_, number) => coverage(what, number, least));
    console.log(`${what}, runs of ${least} states or more, by share seen up to ${CLASSES.join(", ")}: ${row.join("; ")}`);
  }
}
const beside = timedCases();
for (const what of WHATS) {
  const held = beside.filter((each) => isWithin(what, offBy(each, weights))).length;
  console.log(`${what} of the benchmark's models: ${held} of ${beside.length} samples`);
}

/** Samples of all suites of the session, each with so many failures as are told for those that it has. */
function casesOf(session: Session, failures: (faults: number) => readonly number[]): Case[] {
  return session.suites.flatMap((suite) =>
    failures(suite.scenario.faults ?? 0).flatMap((faults) => {
      const variant = { faults };
      const goOnAfter = new Set(checksOfSuite(suite));
      const { end, states, statistics } = finish(
        exploreFast(machineOf(session, suite, variant), { goOnAfter, traces: false, limits: { maxStates: MOST_STATES } }),
      );
      if (end.kind !== "complete" || states < LEAST_STATES) return [];
      const truth = { states, seconds: statistics.seconds };
      const sizes = SHARES.map((share) => Math.ceil(share * states)).filter((size) => size >= LEAST_SAMPLE);
      return sizes.map((size) => {
        const { sample } = finish(forecastOfSuite(session, suite, variant, { sample: size, seed: 1 }));
        const { walks } = sample;
        const [system = ""] = suite.name.split("/");
        return { system, sample, truth, seen: Math.min(1, (sample.states + walks.states - walks.shallow) / states) };
      });
    }),
  );
}

/** The benchmark's models in the sizes that are soon explored. */
function timedCases(): Case[] {
  const folder = mkdtempSync(join(tmpdir(), "iommu-mc-forecast-"));
  try {
    return timed
      .filter(({ size }) => size === "small")
      .flatMap(({ model, makes, constants }) => {
        const file = join(folder, `${model}-suite.ts`);
        const from = JSON.stringify(relative(folder, resolve("bench/models", `${model}.js`)));
        writeFileSync(file, `import { ${makes} } from ${from};\nexport const timed = ${makes}(${Object.values(constants).join(", ")});\n`);
        return casesOf(openWith(modelLoader(options), file), (faults) => [faults]);
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function classOf({ seen }: Case): number {
  return CLASSES.findIndex((end) => seen <= end);
}

/** All shares count the same, and of each share all systems. */
function weightOf(each: Case): number {
  const alike = groups.get(`${each.system} ${classOf(each)}`)?.length ?? 1;
  const beside = [...groups.keys()].filter((key) => key.endsWith(` ${classOf(each)}`)).length;
  return 1 / alike / beside;
}

/** Least squares of the logarithms, by the normal equations. */
function fitted(all: readonly (Case & { readonly weight: number })[]): number[] {
  const rows = all.map(({ sample, truth, weight }) => ({ clues: cluesOf(sample), y: Math.log(truth.states / sample.states), weight }));
  const size = rows[0]?.clues.length ?? 0;
  const matrix = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size + 1 }, (_, column) =>
      rows.reduce(
        (sum, { clues, y, weight }) => sum + weight * (clues[row] as number) * (column < size ? (clues[column] as number) : y),
        0,
      ),
    ),
  );
  for (const [pivot, line] of matrix.entries()) {
    for (const other of matrix) {
      if (other === line) continue;
      const factor = (other[pivot] as number) / (line[pivot] as number);
      for (const column of other.keys()) other[column] = (other[column] as number) - factor * (line[column] as number);
    }
  }
  return matrix.map((line, row) => Number(((line[size] as number) / (line[row] as number)).toFixed(3)));
}

function offBy({ sample, truth }: Case, weights: readonly number[]): Measures {
  const middle = middleOf(sample, weights);
  return { states: truth.states / middle.states, seconds: truth.seconds / middle.seconds };
}

function quantilesOf(what: keyof Measures): Record<"low" | "middle" | "high", number> {
  const sorted = apart.toSorted((one, other) => one.off[what] - other.off[what]);
  const whole = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const at = (share: number) => {
    let sum = 0;
    const found = sorted.find(({ weight }) => {
      sum += weight;
      return sum >= share * whole;
    });
    return Number((found?.off[what] ?? 1).toFixed(3));
  };
  return { low: at(0.1), middle: at(0.5), high: at(0.9) };
}

/** How many of the runs of a class and of so many states or more were within the interval. */
function coverage(what: keyof Measures, number: number, least: number): string {
  const those = apart.filter((each) => classOf(each) === number && each.truth.states >= least);
  return `${those.filter((each) => isWithin(what, each.off)).length} of ${those.length}`;
}

function isWithin(what: keyof Measures, measured: Measures): boolean {
  const { low, high } = off[what] as ReturnType<typeof quantilesOf>;
  return measured[what] >= low && measured[what] <= high;
}
