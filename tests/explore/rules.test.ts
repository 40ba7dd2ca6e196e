import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Memory } from "../../src/explore/memory.js";
import {
  BLOCKED,
  CHOICE,
  CHOICE_CHILDREN,
  Contradiction,
  LEAF,
  READ,
  READ_BEFORE,
  READ_CHILDREN,
  Rules,
  type Test,
} from "../../src/explore/rules.js";

const place = (number: number) => ({ word: number >>> 2, shift: (number & 3) * 8, mask: 7 });
const read = (number: number, code: number, kind: typeof READ | typeof READ_BEFORE = READ): Test => ({
  kind,
  place: place(number),
  size: 5,
  code,
});
const choice = (count: number, taken: number): Test => ({ kind: CHOICE, count, taken });

/** Follows the tree as the engine does: reads from the words, choices from the list. Number of the leaf, or null. */
function follow(rules: Rules, root: number, words: readonly number[], choices: readonly number[]): number | "blocked" | null {
  let slot = root;
  let made = 0;
  for (;;) {
    const node = rules.heap[slot] as number;
    if (node === 0) return null;
    switch (rules.heap[node]) {
      case LEAF:
        return rules.heap[node + 1] as number;
      case BLOCKED:
        return "blocked";
      case CHOICE:
        slot = node + CHOICE_CHILDREN + (choices[made++] as number);
        break;
      default:
        slot =
          node +
          READ_CHILDREN +
          (((words[rules.heap[node + 1] as number] as number) >>> (rules.heap[node + 2] as number)) & (rules.heap[node + 3] as number));
    }
  }
}

test("a learned path is found again, by states that agree on what it read and by no other", () => {
  const rules = new Rules(new Memory());
  const root = rules.newRoot();
  rules.hang(rules.grow(root, [read(0, 2), choice(2, 1), read(5, 3)]), rules.newLeaf(7, [1, 2, 3]));
  expect(follow(rules, root, [2, 3 << 8], [1])).toBe(7);
  expect(follow(rules, root, [2 | (4 << 8), (3 << 8) | 1], [1])).toBe(7);
  expect(follow(rules, root, [1, 3 << 8], [1])).toBeNull();
  expect(follow(rules, root, [2, 3 << 8], [0])).toBeNull();
  expect(follow(rules, root, [2, 4 << 8], [1])).toBeNull();
});

test("a path of no reads is a leaf at once; what is blocked says so", () => {
  const rules = new Rules(new Memory());
  const [one, other] = [rules.newRoot(), rules.newRoot()];
  rules.hang(rules.grow(one, []), rules.newLeaf(0, []));
  rules.hang(rules.grow(other, []), rules.newBlocked());
  expect([follow(rules, one, [], []), follow(rules, other, [], [])]).toEqual([0, "blocked"]);
});

describe("what contradicts what was learned is refused", () => {
  test.each<[string, Test[], Test[]]>([
    ["another read first", [read(0, 1)], [read(1, 1)]],
    ["a choice instead of a read", [read(0, 1)], [choice(2, 0)]],
    ["a choice among more", [choice(2, 0)], [choice(3, 0)]],
    ["a read of the state before instead of after", [read(0, 1)], [read(0, 1, READ_BEFORE)]],
    ["more reads where a leaf is", [read(0, 1)], [read(0, 1), read(2, 0)]],
  ])("%s", (_, first, second) => {
    const rules = new Rules(new Memory());
    const root = rules.newRoot();
    rules.hang(rules.grow(root, first), rules.newLeaf(0, []));
    expect(() => rules.grow(root, second)).toThrow(Contradiction);
  });

  test("fewer reads lead to a slot that is taken", () => {
    const rules = new Rules(new Memory());
    const root = rules.newRoot();
    rules.hang(rules.grow(root, [read(0, 1), read(1, 1)]), rules.newLeaf(0, []));
    expect(rules.heap[rules.grow(root, [read(0, 1)])]).not.toBe(0);
  });
});

test("a tree learned path by path says of every state what the program does, also as the heap grows", () => {
  // A program: a decision tree over eight numbers from 0 to 4, that also makes choices.
  type Program = { read: number; next: readonly Program[] } | { choose: readonly Program[] } | { leaf: true };
  const program = fc.letrec<{ program: Program }>((tie) => ({
    program: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant({ leaf: true as const }),
      fc.record({ read: fc.nat({ max: 7 }), next: fc.array(tie("program"), { minLength: 5, maxLength: 5 }) }),
      fc.record({ choose: fc.array(tie("program"), { minLength: 1, maxLength: 3 }) }),
    ),
  })).program;
  const run = (start: Program, codes: readonly number[], choices: readonly number[]) => {
    const tests: Test[] = [];
    const known = new Set<number>();
    let made = 0;
    for (let at = start; ; ) {
      if ("leaf" in at) return { tests, end: at };
      if ("choose" in at) {
        const taken = (choices[made++] as number) % at.choose.length;
        tests.push(choice(at.choose.length, taken));
        at = at.choose[taken] as Program;
      } else {
        const code = codes[at.read] as number;
        // A number is read once.
        if (!known.has(at.read)) tests.push(read(at.read, code));
        known.add(at.read);
        at = at.next[code] as Program;
      }
    }
  };
  const states = fc.array(
    fc.tuple(fc.array(fc.nat({ max: 4 }), { minLength: 8, maxLength: 8 }), fc.array(fc.nat({ max: 5 }), { minLength: 6, maxLength: 6 })),
    { minLength: 20, maxLength: 60 },
  );
  fc.assert(
    fc.property(program, states, (start, tried) => {
      const rules = new Rules(new Memory());
      const root = rules.newRoot();
      const leaves: Program[] = [];
      for (const round of [1, 2]) {
        for (const [codes, choices] of tried) {
          const { tests, end } = run(start, codes, choices);
          const words = [0, 4].map((from) =>
            codes.slice(from, from + 4).reduce((word, code, position) => word | (code << (position * 8)), 0),
          );
          const taken = tests.flatMap((made) => (made.kind === CHOICE ? [made.taken] : []));
          const found = follow(rules, root, words, taken);
          if (found === null) {
            expect(round).toBe(1);
            rules.hang(rules.grow(root, tests), rules.newLeaf(leaves.length, new Array(1000).fill(1)));
            leaves.push(end);
          } else expect(leaves[found as number]).toBe(end);
        }
      }
    }),
  );
});
