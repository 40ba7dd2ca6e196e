/** Mutual exclusion of two threads by shared variables alone (Peterson, Myths about the mutual exclusion problem, 1981). */
import { design, enumeration, flag, type Proc, property, scenario, schema, suite, thread, until, type View, windows } from "iommu-mc";

const memory = schema({
  peer: { wants: flag(), inside: flag() },
  shared: { turn: enumeration("first", "second") },
});
type Peer = View<typeof memory, "peer">;
type Shared = View<typeof memory, "shared">;

function* peterson(self: Peer, other: Peer, shared: Shared, othersTurn: "first" | "second"): Proc {
  for (;;) {
    yield;
    self.wants = true;
    yield;
    shared.turn = othersTurn;
    yield until(() => !other.wants || shared.turn !== othersTurn);
    self.inside = true;
    yield;
    self.inside = false;
    self.wants = false;
  }
}

/** Gives way before it says that it wants to go in. */
function* hasty(self: Peer, other: Peer, shared: Shared, othersTurn: "first" | "second"): Proc {
  for (;;) {
    yield;
    shared.turn = othersTurn;
    yield;
    self.wants = true;
    yield until(() => !other.wants || shared.turn !== othersTurn);
    self.inside = true;
    yield;
    self.inside = false;
    self.wants = false;
  }
}

const { always } = windows(memory);

const exclusion = property({
  code: "exclusion",
  sentence: "the two are never inside at once",
  source: "Peterson 1981",
  seenRedBy: "the hasty variant",
  window: always("peer", (peer, state) => !peer.inside || state.all("peer").every((other) => other === peer || !other.inside)),
});

const plain = design({ name: "peterson", version: "1981", schema: memory, commits: {}, includes: [] });

function suiteOf(name: string, procedure: typeof peterson) {
  return suite({
    name,
    design: plain,
    properties: [exclusion],
    // The wait reads two variables at once, as in the paper's proof; its loop may read one after the other.
    expected: { atomicity: { verdict: "violated", reason: "the waiting loop's two reads are one step here" } },
    scenario: scenario(memory, name, {
      describes: "two threads enter and leave for ever",
      setup(make) {
        const first = make("peer", "first");
        const second = make("peer", "second");
        const shared = make("shared", "shared");
        return [thread("first", procedure, first, second, shared, "second"), thread("second", procedure, second, first, shared, "first")];
      },
    }),
  });
}

export const correct = suiteOf("peterson", peterson);
export const broken = suiteOf("peterson/hasty", hasty);
