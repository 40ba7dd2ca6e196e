/** The puzzle of the film: a jug of 3 and one of 5 gallons, and 4 gallons to be measured (TLA+ module DieHard). */
import { choose, counter, design, type Proc, property, scenario, schema, suite, thread, type View, windows } from "iommu-mc";

const puzzle = schema({ jugs: { small: counter(3), big: counter(5) } });
type Jugs = View<typeof puzzle, "jugs">;

function* player(jugs: Jugs): Proc {
  for (;;) {
    yield;
    switch (choose("action", ["fill small", "fill big", "empty small", "empty big", "small to big", "big to small"])) {
      case "fill small":
        jugs.small = 3;
        break;
      case "fill big":
        jugs.big = 5;
        break;
      case "empty small":
        jugs.small = 0;
        break;
      case "empty big":
        jugs.big = 0;
        break;
      case "small to big": {
        const poured = Math.min(jugs.small, 5 - jugs.big);
        jugs.big += poured;
        jugs.small -= poured;
        break;
      }
      case "big to small": {
        const poured = Math.min(jugs.big, 3 - jugs.small);
        jugs.small += poured;
        jugs.big -= poured;
        break;
      }
    }
  }
}

const { always } = windows(puzzle);

const unsolved = property({
  code: "unsolved",
  sentence: "the big jug never holds 4 gallons",
  source: "DieHard!NotSolved",
  seenRedBy: "the players",
  window: always("jugs", (jugs) => jugs.big !== 4),
});

const plain = design({ name: "die-hard", version: "the film's", schema: puzzle, commits: {}, includes: [] });

export const dieHard = suite({
  name: "die-hard",
  design: plain,
  properties: [unsolved],
  expected: { unsolved: { verdict: "violated", reason: "4 gallons can be measured" } },
  scenario: scenario(puzzle, "two jugs", {
    describes: "fill, empty and pour as you like",
    setup: (make) => [thread("player", player, make("jugs", "jugs"))],
  }),
});
