/** What the commands about sets of commits have in common in what they print. */
import type { JsonSetHead } from "../report/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import type { SetChecker } from "../session/set-checker.js";
import { variantTo } from "../step/machine.js";
import { headerOf } from "./header.js";

/** `tried` are the sets that were looked at. */
export function documentHead(command: string, checker: SetChecker, tried: readonly (readonly string[])[], exitCode: ExitCode): JsonSetHead {
  const { design, suites, commits } = checker.base;
  return {
    ...headerOf(command),
    design: design.name,
    version: design.version,
    ...variantTo(design, commits),
    suites: suites.map(({ name }) => name),
    effort: checker.effortOf(tried),
    unfit: checker.unfit,
    unfinished: checker.isUnfinished,
    exitCode,
  };
}

/** The exit code, if nothing is wrong but for what is unfinished. */
export function exitCodeOfSets({ isUnfinished }: SetChecker, isWrong: boolean): ExitCode {
  return isWrong ? 1 : isUnfinished ? 3 : 0;
}
