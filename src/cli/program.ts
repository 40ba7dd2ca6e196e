/** The commands, their options and their help. */
import { Command, Option } from "commander";
import { type CheckOptions, check } from "./check.js";
import { version } from "./header.js";
import { addLimitOptions, addVariantOptions } from "./options.js";

/** Ends of a command line are told through `done`. */
export function makeProgram(done: (exitCode: number) => void): Command {
  const program = new Command("iommu-mc")
    .description("An explicit-state model checker for the Linux IOMMU subsystem.")
    .version(version())
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText("after", examples("iommu-mc check linux-6.1", "iommu-mc check linux-6.1 --revert 0286300e6045", "iommu-mc list commits"));
  addCheck(program, done);
  return program;
}

function addCheck(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("check")
    .summary("run suites and tell how they came out")
    .description(
      "Runs suites: every interleaving, every failure. Exit code: 0 all as expected, 1 not as expected, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("[design]", "a design, or the path of a .ts file that exports suites; default: all bundled suites")
    .option("--suite <name>", "only the suite of that name; * stands for anything")
    .option("--scenario <name>", "only suites with that scenario; * stands for anything")
    .option("--property <code>", "only that property (and the always-on checks)");
  addVariantOptions(command);
  command.addOption(new Option("--engine <engine>", "fast, or the small plain one").choices(["fast", "reference"]).default("fast"));
  addLimitOptions(command)
    .option("--file <file>", "a .ts file that exports suites, instead of the bundled ones")
    .addOption(
      new Option("--traces <which>", "traces of all violations, or of the unexpected ones")
        .choices(["all", "unexpected"])
        .default("unexpected"),
    )
    .option("--json", "print one JSON document (docs/json.md)")
    .addHelpText(
      "after",
      examples(
        "iommu-mc check linux-6.1",
        "iommu-mc check linux-6.1 --revert 0286300e6045 --suite 'vfio-close/*'",
        "iommu-mc check linux-6.1 --property C1 --faults 2 --timeout 60",
        "iommu-mc check my-design.ts --json",
      ),
    )
    .action(async (design: string | undefined, options: CheckOptions) => done(await check(design, options)));
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
