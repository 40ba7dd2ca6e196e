/** The command line. */
import { worst } from "../report/verdict.js";
import { fail } from "./failure.js";
import { makeProgram } from "./program.js";

// A reader that has seen enough (`| head`) is no error. Until a command knows better, its work is unfinished.
process.exitCode = 3;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const words = process.argv.slice(2);
let exitCode: number = worst([]);
try {
  await makeProgram((code) => {
    exitCode = code;
  }).parseAsync(process.argv);
} catch (error) {
  exitCode = fail(error, words.find((word) => !word.startsWith("-")) ?? "", wantsJson(words));
}
process.exitCode = exitCode;

/** Known before the command line has been understood: what is wrong with it is told in the form asked for. */
function wantsJson(words: readonly string[]): boolean {
  return words.some(
    (word, position) => word === "--json" || word === "--format=json" || (word === "--format" && words[position + 1] === "json"),
  );
}
