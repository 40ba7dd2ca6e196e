/**
 * Two-phase commit without the messages' loss (Gray and Lamport, Consensus on Transaction Commit, 2006; TLA+
 * module TwoPhase). One thread per resource manager and one for the transaction manager; each action is a step.
 */
import {
  assume,
  choose,
  design,
  enumeration,
  flag,
  type Proc,
  property,
  scenario,
  schema,
  setOf,
  suite,
  thread,
  type View,
  windows,
} from "iommu-mc";

const commit = schema({
  rm: { state: enumeration("working", "prepared", "committed", "aborted") },
  tm: { state: enumeration("init", "committed", "aborted"), prepared: setOf("rm") },
  messages: { prepared: setOf("rm"), commit: flag(), abort: flag() },
});
type Rm = View<typeof commit, "rm">;
type Tm = View<typeof commit, "tm">;
type Messages = View<typeof commit, "messages">;

function* resourceManager(rm: Rm, messages: Messages): Proc {
  for (;;) {
    yield;
    switch (choose("action", ["prepare", "abort", "learn commit", "learn abort"])) {
      case "prepare":
        assume(rm.state === "working");
        rm.state = "prepared";
        messages.prepared.add(rm);
        break;
      case "abort":
        assume(rm.state === "working");
        rm.state = "aborted";
        break;
      case "learn commit":
        assume(messages.commit);
        rm.state = "committed";
        break;
      case "learn abort":
        assume(messages.abort);
        rm.state = "aborted";
        break;
    }
  }
}

function* transactionManager(tm: Tm, messages: Messages, rms: readonly Rm[]): Proc {
  for (;;) {
    yield;
    assume(tm.state === "init");
    const action = choose("action", ["collect", "commit", "abort"]);
    if (action === "collect") {
      const rm = choose("from", rms);
      assume(messages.prepared.has(rm));
      tm.prepared.add(rm);
    } else if (action === "commit") {
      assume(rms.every((rm) => tm.prepared.has(rm)));
      tm.state = "committed";
      messages.commit = true;
    } else {
      tm.state = "aborted";
      messages.abort = true;
    }
  }
}

const { always } = windows(commit);

const consistent = property({
  code: "consistent",
  sentence: "no resource manager has committed while another has aborted",
  source: "TwoPhase!TCConsistent",
  seenRedBy: "a transaction manager that commits without asking",
  window: always("rm", (rm, state) => rm.state !== "committed" || state.all("rm").every((other) => other.state !== "aborted")),
});

const plain = design({ name: "two-phase-commit", version: "as in the paper", schema: commit, commits: {}, includes: [] });

/** The protocol with so many resource managers. */
export function twoPhaseCommit(resourceManagers: number) {
  return suite({
    name: `two-phase-commit/${resourceManagers}`,
    design: plain,
    properties: [consistent],
    scenario: scenario(commit, `${resourceManagers} resource managers`, {
      describes: "every resource manager may abort by itself until it has prepared",
      setup(make) {
        const rms = Array.from({ length: resourceManagers }, (_, number) => make("rm", `rm${number}`));
        const tm = make("tm", "tm");
        const messages = make("messages", "messages");
        return [
          ...rms.map((rm, number) => thread(`rm${number}`, resourceManager, rm, messages)),
          thread("tm", transactionManager, tm, messages, rms),
        ];
      },
    }),
  });
}
