/**
 * Models without control flow to get wrong: threads that follow a random table of moves. What they reach is
 * worked out by a plain search, which knows nothing of views, rules, layouts or generators.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, tiny } from "../support/model.js";
import { search } from "../support/search.js";

/** From place (of the thread) and level (of the shared memory) to the next ones. */
interface Move {
  readonly from: number;
  readonly level: number;
  readonly to: number;
  readonly levelAfter: number;
}

const PLACES = 4;
const LEVELS = 3;
const place = fc.nat({ max: PLACES - 1 });
const level = fc.nat({ max: LEVELS - 1 });
const table: fc.Arbitrary<readonly Move[]> = fc.array(fc.record({ from: place, level, to: place, levelAfter: level }), {
  minLength: 1,
  maxLength: 10,
});

const structs = `seat: { at: counter(${PLACES - 1}) }, memory: { level: counter(${LEVELS - 1}) }`;
const make = (threads: number) =>
  `const memory = make("memory", "memory"); ${Array.from({ length: threads }, (_, each) => `const seat${each} = make("seat", "seat${each}");`).join(" ")}`;
const started = (threads: number, more: (each: number) => string) =>
  Array.from({ length: threads }, (_, each) => `thread("t${each}", walker, seat${each}, memory, ${more(each)})`).join(", ");
const quiet = `atomicity: { verdict: "violated", reason: "a move is one step" }, stuck: { verdict: "violated", reason: "a table may end" }`;

/** The thread's place is a field of the state, and the move is chosen. */
const inState = (tables: readonly (readonly Move[])[], goal: number) =>
  tiny({
    procedures: `const tables = ${JSON.stringify(tables)};
function* walker(seat, memory, number) {
  for (;;) {
    yield;
    const move = tables[number][choose("move", tables[number].map((_, each) => each))];
    assume(seat.at === move.from && memory.level === move.level);
    seat.at = move.to;
    memory.level = move.levelAfter;
  }
}`,
    structs,
    make: make(tables.length),
    threads: started(tables.length, String),
    more: `properties: [claim("apart", windows(s).always("memory", (memory, state) => !(memory.level === ${goal} && state.all("seat").every((seat) => seat.at === ${goal}))))], expected: { apart: { verdict: "violated", reason: "may be" }, ${quiet} }`,
  });

/** The thread's place is a local, across a call and a yield. */
const inLocals = (tables: readonly (readonly Move[])[]) =>
  tiny({
    procedures: `const tables = ${JSON.stringify(tables)};
function* go(memory, number, at) {
  yield;
  const move = choose("move", tables[number].filter((move) => move.from === at && move.level === memory.level).map((move) => tables[number].indexOf(move)));
  memory.level = tables[number][move].levelAfter;
  return tables[number][move].to;
}
function* walker(seat, memory, number) {
  let at = 0;
  for (;;) at = yield* go(memory, number, at);
}`,
    structs,
    make: make(tables.length),
    threads: started(tables.length, String),
    more: `expected: { ${quiet} }`,
  });

/** (place of each thread, level). */
const successors = (tables: readonly (readonly Move[])[]) => (state: readonly number[]) =>
  tables.flatMap((moves, thread) =>
    moves.flatMap(({ from, level, to, levelAfter }) =>
      state[thread] === from && state.at(-1) === level
        ? [[...state.slice(0, -1).map((at, other) => (other === thread ? to : at)), levelAfter]]
        : [],
    ),
  );
const initial = (tables: readonly unknown[]): readonly number[] => [...tables.map(() => 0), 0];

describe.each(engines)("%s", (engine) => {
  test.each([1, 2, 3])("%i threads with their places in the state: counts, depth and nearest violation", (threads) => {
    fc.assert(
      fc.property(fc.array(table, { minLength: threads, maxLength: threads }), fc.nat({ max: 2 }), (tables, goal) => {
        const { outcome } = explore(inState(tables, goal), engine);
        const { goal: nearest, ...reached } = search(initial(tables), successors(tables), (state) =>
          state.every((value) => value === goal),
        );
        expect(outcome).toMatchObject({ ...reached, end: { kind: "complete" } });
        expect(findingOf(outcome, "apart")?.depth ?? null).toBe(nearest);
      }),
      { numRuns: 40 },
    );
  });

  test.each([1, 2])("%i threads with their places in locals", (threads) => {
    fc.assert(
      fc.property(fc.array(table, { minLength: threads, maxLength: threads }), (tables) => {
        const { outcome } = explore(inLocals(tables), engine);
        expect(outcome).toMatchObject({ ...withoutGoal(search(initial(tables), successors(tables))), end: { kind: "complete" } });
      }),
      { numRuns: 40 },
    );
  });

  test("stuck is what a search finds to have no successor", () => {
    fc.assert(
      fc.property(table, table, (one, other) => {
        const tables = [one, other];
        const { outcome } = explore(inState(tables, 0), engine);
        const isDead = (state: readonly number[]) => successors(tables)(state).length === 0;
        expect(findingOf(outcome, "stuck")?.depth ?? null).toBe(search(initial(tables), successors(tables), isDead).goal);
      }),
      { numRuns: 40 },
    );
  });
});

function withoutGoal({ goal: _, ...reached }: ReturnType<typeof search>) {
  return reached;
}
