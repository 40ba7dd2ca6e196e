/** Puzzles and protocols whose answers are known, each also worked out by a plain search over its own idea of a state. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Suite } from "../../src/lang/suite.js";
import { modelLoader, openSuites, session } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import { type Engine, engines, findingOf, verdictOf } from "../support/model.js";
import { search } from "../support/search.js";

const fileOf = (name: string) => fileURLToPath(new URL(`models/${name}.ts`, import.meta.url));
const options = { cacheDir: false, typecheck: false } as const;

function bundled(file: string, name: string, engine: Engine) {
  const opened = openSuites(fileOf(file), options);
  const suite = opened.suites.find((candidate) => candidate.name === name) as Suite;
  return runSuiteNow(opened, suite, { engine });
}

describe.each(engines)("%s", (engine) => {
  test("Die Hard: 16 states, and 4 gallons after 6 steps", () => {
    const { outcome } = bundled("die-hard", "die-hard", engine);
    const moves = ([small, big]: readonly [number, number]): (readonly [number, number])[] => {
      const right = Math.min(small, 5 - big);
      const left = Math.min(big, 3 - small);
      return [
        [3, big],
        [small, 5],
        [0, big],
        [small, 0],
        [small - right, big + right],
        [small + left, big - left],
      ];
    };
    const { goal, ...reached } = search([0, 0] as const, moves, ([, big]) => big === 4);
    expect(reached.states).toBe(16);
    expect(goal).toBe(6);
    expect(outcome).toMatchObject({ ...reached, end: { kind: "complete" } });
    expect(findingOf(outcome, "unsolved")).toMatchObject({ depth: 6, isProperty: true });
  });

  /** (program counter of each, wants of each, whose turn): 0 at rest, then one for each assignment, 3 inside. */
  const peterson =
    (isHasty: boolean) =>
    (state: readonly number[]): number[][] =>
      [0, 1].flatMap((me) => {
        const other = 1 - me;
        const step = (pc: number, change: Record<number, number> = {}) => [
          state.map((value, position) => (position === me ? pc : (change[position] ?? value))),
        ];
        const pc = state[me] as number;
        const announce = { [2 + me]: 1 };
        const giveWay = { 4: other };
        if (pc === 0) return step(1, isHasty ? giveWay : announce);
        if (pc === 1) return step(2, isHasty ? announce : giveWay);
        if (pc === 2) return state[2 + other] === 0 || state[4] === me ? step(3) : [];
        return step(0, { [2 + me]: 0 });
      });
  const bothInside = ([first, second]: readonly number[]) => first === 3 && second === 3;

  test("Peterson: mutual exclusion holds", () => {
    const { outcome } = bundled("peterson", "peterson", engine);
    const { goal, ...reached } = search<number[]>([0, 0, 0, 0, 0], peterson(false), bothInside);
    expect(goal).toBeNull();
    expect(outcome).toMatchObject({ ...reached, end: { kind: "complete" } });
    expect(verdictOf(outcome, "exclusion")).toBe("holds");
  });

  test("Peterson with its first two lines exchanged: both get in", () => {
    const { outcome } = bundled("peterson", "peterson/hasty", engine);
    const { goal } = search<number[]>([0, 0, 0, 0, 0], peterson(true), bothInside);
    expect(findingOf(outcome, "exclusion")?.depth).toBe(goal);
  });

  const loader = modelLoader(options);
  const make = loader.load(fileOf("philosophers")).exports.philosophers as (seats: number, isOrdered: boolean) => Suite;
  const dine = (seats: number, isOrdered: boolean) => {
    const suite = make(seats, isOrdered);
    return runSuiteNow(session([suite], loader), suite, { engine }).outcome;
  };
  /** Forks in the hands of each: 0 none, 1 the first. Taking the second, eating and giving both back is one step. */
  const table =
    (seats: number, isOrdered: boolean) =>
    (hands: readonly number[]): number[][] => {
      const first = (seat: number) => (isOrdered && seat === seats - 1 ? 0 : seat);
      const second = (seat: number) => (isOrdered && seat === seats - 1 ? seat : (seat + 1) % seats);
      const isTaken = (fork: number) => hands.some((held, seat) => held === 1 && first(seat) === fork);
      return hands.flatMap((held, seat) =>
        isTaken(held === 0 ? first(seat) : second(seat)) ? [] : [hands.map((value, other) => (other === seat ? 1 - held : value))],
      );
    };
  const isDeadlock = (seats: number) => (hands: readonly number[]) => table(seats, false)(hands).length === 0;

  test.each([2, 3, 4, 5])("%i dining philosophers starve when each holds one fork", (seats) => {
    const outcome = dine(seats, false);
    const { goal } = search<number[]>(Array(seats).fill(0), table(seats, false), isDeadlock(seats));
    expect(goal).toBe(seats);
    expect(findingOf(outcome, "stuck")).toMatchObject({ depth: seats });
    expect(verdictOf(outcome, "lockdep")).toBe("violated");
  });

  test.each([2, 3, 4, 5])("%i dining philosophers do not, if all take the lower fork first", (seats) => {
    const outcome = dine(seats, true);
    const { goal, ...reached } = search<number[]>(Array(seats).fill(0), table(seats, true));
    expect(outcome).toMatchObject({ ...reached, end: { kind: "complete" }, findings: [] });
  });
});
