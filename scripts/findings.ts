/** The traces in reports/findings/*.md: what stands between two marks is what the checker prints today. */

import { mailFinding } from "../src/report/mail.js";
import { placesOf } from "../src/report/shown.js";
import type { Session } from "../src/session/open.js";
import { runSuiteNow } from "../src/session/run-suite.js";

const BLOCK = /<!-- trace (\S+) (\S+)(?: (.*?))? -->\n[\s\S]*?<!-- end of trace -->/g;

/**
 * A page with its traces as they are now. A mark names a suite, a check and, where the check has several findings, words of
 * the one that is meant: `<!-- trace probe/failing-walk null-deref reading ->ops -->`. Throws if there is none.
 */
export function withTraces(session: Session, page: string, version: string): string {
  return page.replace(BLOCK, (_, suiteName: string, check: string, words: string | undefined) => {
    const suite = session.suites.find(({ name }) => name === suiteName);
    if (suite === undefined) throw new Error(`there is no suite ${suiteName}`);
    const run = runSuiteNow(session, suite);
    const place = placesOf([run])
      .filter(({ shown }) => shown.findings.some(({ finding }) => finding.check === check && finding.message.includes(words ?? "")))
      .sort((one, other) => one.shown.path.length - other.shown.path.length)[0];
    if (place === undefined) throw new Error(`${suiteName} does not find ${check}${words === undefined ? "" : ` with "${words}"`}`);
    const lines = mailFinding(run, place.shown, { file: null, version }, "shortest");
    const head = `<!-- trace ${suiteName} ${check}${words === undefined ? "" : ` ${words}`} -->`;
    return [head, "", "```text", ...lines, "```", "", "<!-- end of trace -->"].join("\n");
  });
}
