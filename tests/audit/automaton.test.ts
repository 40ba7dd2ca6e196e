/** What can be seen, made small: which moments are one. */
import { describe, expect, it } from "vitest";
import { type Minimal, Moves, minimised, OVER, SILENT, START, silentComponents } from "../../src/audit/automaton.js";
import { finish } from "../../src/session/run-suite.js";

const A = 1;
const B = 2;

/** The classes of the moments between which these moves lead. Moments beyond the first two are numbered from 2. */
function classesOf(...moves: readonly (readonly [from: number, label: number, to: number])[]): Minimal {
  const all = new Moves();
  while (all.moments <= Math.max(...moves.flatMap(([from, , to]) => [from, to]))) all.newMoment();
  for (const [from, label, to] of moves) all.add(from, label, to, 0);
  const automaton = all.automaton();
  return finish(minimised(automaton, silentComponents(automaton)));
}

describe("moments", () => {
  it("are one if the same follows, whatever comes in between unseen", () => {
    const { moves, start } = classesOf([START, A, 2], [2, SILENT, 3], [3, SILENT, 4], [4, B, OVER], [START, A, 5], [5, B, OVER]);
    expect(moves).toHaveLength(3);
    expect(moves[start]).toHaveLength(1);
  });

  it("are one if they lead to each other unseen", () => {
    const { moves, start } = classesOf([START, SILENT, 2], [2, SILENT, START], [2, A, OVER]);
    expect(moves).toHaveLength(2);
    expect(moves[start]).toEqual([{ label: A, to: 1 - start }]);
  });

  it("are not one if a choice is still open in one of them", () => {
    const { moves, start } = classesOf([START, SILENT, 2], [START, A, OVER], [2, B, OVER]);
    expect(moves).toHaveLength(3);
    expect(moves[start]).toHaveLength(2);
  });

  it("are told apart by what comes much later", () => {
    const chain = (first: number, last: number): [number, number, number][] => [
      [START, A, first],
      [first, A, first + 1],
      [first + 1, A, first + 2],
      [first + 2, last, OVER],
    ];
    expect(classesOf(...chain(2, A), ...chain(5, B)).moves).toHaveLength(8);
    expect(classesOf(...chain(2, A), ...chain(5, A)).moves).toHaveLength(5);
  });
});
