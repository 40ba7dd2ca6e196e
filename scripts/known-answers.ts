/** The largest known answer, too long for the tests: npm run known-answers. Exit code 1 if it comes out otherwise. */
import { resolve } from "node:path";
import type { Suite } from "../src/lang/suite.js";
import { modelLoader, session } from "../src/session/open.js";
import { runSuiteNow } from "../src/session/run-suite.js";

const loader = modelLoader({ typecheck: false });
const make = loader.load(resolve("tests/known-answers/models/two-phase-commit.ts")).exports.twoPhaseCommit as (count: number) => Suite;
const answers = [
  { resourceManagers: 7, states: 296_448, transitions: 2_744_705, depth: 22 },
  { resourceManagers: 9, states: 10_340_352, transitions: 123_558_401, depth: 28 },
];
for (const { resourceManagers, ...answer } of answers) {
  const suite = make(resourceManagers);
  const { outcome } = runSuiteNow(session([suite], loader), suite);
  const { states, transitions, depth, statistics } = outcome;
  const isRight = states === answer.states && transitions === answer.transitions && depth === answer.depth && outcome.findings.length === 0;
  console.log(
    `two-phase commit with ${resourceManagers} resource managers: ${states} states, ${transitions} transitions, depth ${depth}, ` +
      `${statistics.seconds.toFixed(1)} s, ${statistics.bytesPerState.toFixed(0)} bytes a state: ${isRight ? "as known" : `expected ${JSON.stringify(answer)}`}`,
  );
  if (!isRight) process.exitCode = 1;
}
