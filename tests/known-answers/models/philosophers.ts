/** Dijkstra's dining philosophers: each takes the fork on the left, then the one on the right. */
import { design, mutex, mutex_lock, mutex_unlock, type Proc, scenario, schema, suite, thread, type View } from "iommu-mc";

const table = schema({ fork: { mutex: mutex() } });
type Fork = View<typeof table, "fork">;

function* philosopher(first: Fork, second: Fork): Proc {
  for (;;) {
    yield* mutex_lock(first.mutex);
    yield* mutex_lock(second.mutex);
    mutex_unlock(second.mutex);
    mutex_unlock(first.mutex);
  }
}

const plain = design({ name: "philosophers", version: "1971", schema: table, commits: {}, includes: [] });

/** `isOrdered`: the last philosopher takes the right fork first, so that all take the lower-numbered one first. */
export function philosophers(seats: number, isOrdered: boolean) {
  return suite({
    name: `philosophers/${seats}${isOrdered ? "/ordered" : ""}`,
    design: plain,
    properties: [],
    expected: isOrdered ? {} : { lockdep: { verdict: "violated", reason: "each fork is taken under the one to its left" } },
    scenario: scenario(table, `${seats} philosophers`, {
      describes: "each eats for ever",
      setup(make) {
        const forks = Array.from({ length: seats }, (_, seat) => make("fork", `fork${seat}`));
        return forks.map((left, seat) => {
          const right = forks[(seat + 1) % seats] as Fork;
          const swaps = isOrdered && seat === seats - 1;
          return thread(`philosopher${seat}`, philosopher, swaps ? right : left, swaps ? left : right);
        });
      },
    }),
  });
}
