/** The commands, their options and their help. */
import { Argument, Command, Option } from "commander";
import { LOSSY_MODES } from "../explore/lossy-table.js";
import { FORMATS } from "../report/formats.js";
import { REPLAY_FORMATS } from "../report/replay-report.js";
import { TRACES_SHOWN } from "../report/shown.js";
import { type AuditCommandOptions, auditCommand } from "./audit.js";
import { type AuditOpsOptions, auditOps } from "./audit-ops.js";
import { type BackportsOptions, backports } from "./backports.js";
import { type BisectOptions, bisect } from "./bisect.js";
import { type CertifyOptions, certify } from "./certify.js";
import { type CheckOptions, check } from "./check.js";
import { type ClaimsOptions, claimsCommand } from "./claims.js";
import type { SetOptions } from "./commit-base.js";
import { type CorpusOptions, corpus } from "./corpus.js";
import { type ForecastCommandOptions, forecastCommand } from "./forecast.js";
import { GRAPHS, type GraphKind, type GraphOptions, graph } from "./graph.js";
import { version } from "./header.js";
import { type LedgerOptions, ledger } from "./ledger.js";
import { list } from "./list.js";
import { makeNew, type NewOptions } from "./new.js";
import {
  addLimitOptions,
  addResourceOptions,
  addSelectionOptions,
  addVariantOptions,
  collect,
  collectNumber,
  positive,
  positiveNumber,
  wholeNumber,
} from "./options.js";
import { type RecordOptions, record } from "./record.js";
import { type ReplayOptions, replay } from "./replay.js";
import { type ReportOptions, report } from "./report.js";
import { series } from "./series.js";
import { type SimulateCommandOptions, simulateCommand } from "./simulate.js";
import { type StaleOptions, stale } from "./stale.js";
import { type StatesOptions, states } from "./states.js";
import { type ImportOptions, importTopology } from "./topology/import.js";
import { type ValidateOptions, validate } from "./validate.js";

/** Where commits are added to a design in one way or another. */
const BASE = "a design, with commits put in (+SHA) and taken out (-SHA), or the path of a .ts file that exports suites of one";

/** Ends of a command line are told through `done`. */
export function makeProgram(done: (exitCode: number) => void): Command {
  const program = new Command("iommu-mc")
    .description("An explicit-state model checker for the Linux IOMMU subsystem.")
    .version(version())
    .helpCommand(false)
    .showSuggestionAfterError()
    // So that what stands behind a command's command is of that one, though both have options of the same names.
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText("after", examples("iommu-mc check linux-6.1", "iommu-mc check linux-6.1 --revert 0286300e6045", "iommu-mc list commits"));
  addCheck(program, done);
  addSimulate(program, done);
  addStates(program, done);
  addForecast(program, done);
  addCertify(program, done);
  addAudit(program, done);
  addList(program, done);
  addReplay(program, done);
  addTopology(program, done);
  addRecord(program, done);
  addNew(program, done);
  addLedger(program, done);
  addReport(program, done);
  addGraph(program, done);
  addCorpus(program, done);
  addClaims(program, done);
  addSeries(program, done);
  addBackports(program, done);
  addBisect(program, done);
  addStale(program, done);
  addValidate(program, done);
  return program;
}

function addCheck(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("check")
    .summary("run suites and tell how they came out")
    .description(
      "Runs suites: every interleaving, every failure. Exit code: 0 all as expected, 1 not as expected, 2 wrong usage or model, 3 unfinished.",
    );
  addVariantOptions(addSelectionOptions(command));
  command.addOption(new Option("--engine <engine>", "fast, or the small plain one").choices(["fast", "reference"]).default("fast"));
  addLimitOptions(command)
    .addOption(fileOption())
    .addOption(
      new Option("--traces <which>", "the shortest trace of each unexpected violation, those of all unexpected ones, or of all")
        .choices(TRACES_SHOWN)
        .default("shortest"),
    )
    .option("--against <ledger>", "compare with an earlier run: a ledger, or what --json printed; exit code 1 if a verdict differs")
    .addOption(
      new Option(
        "--watch",
        "check again whenever a file of the model is saved; unchanged suites come from the cache; Ctrl-C ends",
      ).conflicts(["coverage", "paranoid", "against"]),
    )
    .addOption(cacheOption().conflicts(["coverage", "paranoid"]))
    .addOption(
      new Option("--format <format>", "what to print: text for a terminal, or a form for somewhere else (README)").choices(FORMATS),
    )
    .addOption(new Option("--paranoid", "run every transition natively too, and compare (slow: give --max-states)").conflicts("engine"))
    .addOption(
      new Option("--reduce", "leave out states that show nothing, for suites that are too large; says what that came to").conflicts([
        "engine",
        "paranoid",
        "maxDepth",
        "checkpoint",
      ]),
    )
    .option("--no-fusion", "with --reduce: fuse no steps")
    .option("--no-symmetry", "with --reduce: take nothing to be interchangeable")
    .option("--no-clearing", "with --reduce: keep what fields have that nobody will read")
    .addOption(
      new Option(
        "--lossy <mode>",
        "forget states that have been visited, to search more in the same memory and prove less: keep bits of their hashes (hash), or set bits of an array (bits); says how likely it is that a state was omitted",
      )
        .choices(LOSSY_MODES)
        .conflicts(["reduce", "engine", "paranoid", "checkpoint", "against", "cache", "watch", "jobs"]),
    )
    .addOption(
      new Option(
        "--disk <folder>",
        "when the states no longer fit into --memory, put them into files in this folder and go on; the files are gone when the run is over, however it ends",
      ).conflicts(["lossy", "reduce", "engine", "paranoid", "checkpoint", "cache", "watch"]),
    )
    .addOption(jobsOption())
    .option("--coverage", "say at the end what of the model was not exercised")
    .addOption(
      new Option(
        "--checkpoint <folder>",
        "keep runs there that are interrupted, and now and then what they have found out: the same command goes on",
      ).conflicts(["watch", "paranoid", "coverage"]),
    )
    .option("--every <minutes>", "between two times that a run is kept (default: 5)", positive)
    .addOption(new Option("--json", "the same as --format json: one JSON document (docs/json.md)").conflicts("format"))
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

function addSimulate(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("simulate")
    .summary("walk at random through suites too large to check")
    .description(
      "Walks at random through suites, for bounds too large to exhaust. It proves nothing. Exit code: 0 nothing unexpected found, 1 something was, 2 wrong usage or model, 3 interrupted, or out of memory.",
    );
  addVariantOptions(addSelectionOptions(command))
    .option("--seed <n>", "which walks: the same seed walks the same way", wholeNumber, 1)
    .option("--walks <n>", "how many walks", positiveNumber, 1000)
    .option("--max-steps <n>", "steps after which a walk ends", positiveNumber, 1000);
  addResourceOptions(command)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "iommu-mc simulate linux-6.1 --suite 'ownership/*' --faults 3",
        "iommu-mc simulate my-design.ts --seed 7 --walks 1000000 --timeout 600",
      ),
    )
    .action(async (design: string | undefined, options: SimulateCommandOptions) => done(await simulateCommand(design, options)));
}

function addStates(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("states")
    .summary("say why a suite has so many states")
    .description(
      "Explores a suite and tells which parts of its state multiply the number of states, and by how much. Exit code: 0 all states counted, 2 wrong usage or model, 3 a limit or an interrupt came first.",
    )
    .argument("<suite>", "the suite's name");
  addLimitOptions(addVariantOptions(command))
    .option("--against <file>", "what an earlier `states --json` of the suite printed: tell what has changed since")
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("iommu-mc states own-domain/several-devices", "iommu-mc states own-domain/several-devices --faults 2 --against before.json"),
    )
    .action(async (suite: string, options: StatesOptions) => done(await states(suite, options)));
}

function addCertify(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("certify")
    .summary("have a second checker verify what a suite comes out as")
    .description(
      "Explores a suite, writes the set of states it has reached into a certificate, and verifies that by running the model's own code on each of them (docs/certify.md). Exit code: 0 accepted, and as the suite expects, 1 refused or not as expected, 2 wrong usage, model or file, 3 unfinished.",
    )
    .argument("[suite]", "the suite's name; left out with --verify")
    .option("--out <file>", "keep the certificate in this file")
    .addOption(
      new Option("--verify <file>", "verify a certificate that was kept; explore nothing").conflicts([
        "out",
        "revert",
        "apply",
        "faults",
        "faultPolicy",
        "maxStates",
        "maxDepth",
      ]),
    );
  addLimitOptions(addVariantOptions(command))
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "iommu-mc certify partial-attach/rmrr",
        "iommu-mc certify partial-attach/rmrr --apply dcf40ed3a20d --out fixed.cert",
        "iommu-mc certify --verify fixed.cert",
      ),
    )
    .action(async (suite: string | undefined, options: CertifyOptions) => done(await certify(suite, options)));
}

function addForecast(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("forecast")
    .summary("say beforehand how many states, how long and how much memory a run takes")
    .description(
      "Explores a sample of each suite and tells intervals for the states, the time and the memory of a whole run (docs/forecast.md). Exit code: 0, 2 wrong usage or model, 3 a limit or an interrupt ended a sample.",
    );
  addVariantOptions(addSelectionOptions(command))
    .option("--sample <n>", "states of a sample; a suite that has no more is known whole", positiveNumber, 50_000)
    .option("--seed <n>", "which random walks: the same seed walks the same way", wholeNumber, 1);
  addResourceOptions(command)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("iommu-mc forecast linux-6.1 --suite 'ownership/*'", "iommu-mc forecast linux-6.1 --suite partial-attach/rmrr --faults 4"),
    )
    .action(async (design: string | undefined, options: ForecastCommandOptions) => done(await forecastCommand(design, options)));
}

function addAudit(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("audit")
    .summary("say what changes between two designs")
    .description(
      "Compares what can be seen of two designs under the same scenarios: driver callbacks, binds, results. Exit code: 0 equivalent in all of them, 1 they differ, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("<a>", "a design; +SHA and -SHA behind it apply and revert commits")
    .argument("<b>", "another")
    .option("--suite <name>", "only the scenario of the suite of that name; * stands for anything")
    .option("--observe <event>", "only events of that name count; * stands for anything (repeatable)", collect)
    .option("--faults <n>", "failures that may be injected in one behaviour, instead of the scenario's number", wholeNumber);
  addLimitOptions(command)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "iommu-mc audit linux-6.1 linux-6.1-0286300e6045 --suite 'vfio-close/*'",
        "iommu-mc audit linux-6.1 linux-6.1+dcf40ed3a20d --observe attach_dev",
      ),
    )
    .action(async (a: string, b: string, options: AuditCommandOptions) => done(await auditCommand(a, b, options)));
  const operations = command
    .enablePositionalOptions()
    .helpCommand(false)
    .command("ops")
    .summary("say what each driver's callbacks touch, and of what")
    .description(
      "Says of each operation of the drivers which of its arguments the implementations use, who calls it with what, and what becomes of a driver that has none. Exit code: 0, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("<design>", "a design; +SHA and -SHA behind it apply and revert commits")
    .argument("[other]", "another, to be shown beside it")
    .option("--suite <name>", "only the scenario of the suite of that name; * stands for anything");
  addLimitOptions(operations)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc audit ops linux-6.1", "iommu-mc audit ops linux-6.1 linux-6.1+dd8a25c557e1"))
    .action(async (design: string, other: string | undefined, options: AuditOpsOptions) => done(await auditOps(design, other, options)));
}

function addList(program: Command, done: (exitCode: number) => void): void {
  program
    .command("list")
    .summary("list designs, suites, properties and commits")
    .description("Lists what there is: designs, suites, properties, and the commits that can be reverted or applied.")
    .argument("[what]", "designs, suites, properties or commits; default: all of them")
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc list", "iommu-mc list commits", "iommu-mc list properties --json"))
    .action(async (what: string | undefined, options: { file?: string; json?: boolean }) => done(await list(what, options)));
}

function addReplay(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("replay")
    .summary("show a path step by step")
    .description("Shows a path of a suite step by step, and what is violated at its end. Exit code 1 if that is not expected.")
    .argument("<suite>", "name of the suite")
    .argument("<path>", "the path, as check prints it: numbers with dots between them, - for the empty one");
  addVariantOptions(command)
    .addOption(fileOption())
    .addOption(new Option("--format <format>", "what to print: text for a terminal, or a form for somewhere else").choices(REPLAY_FORMATS))
    .addOption(new Option("--json", "the same as --format json: one JSON document (docs/json.md)").conflicts("format"))
    .addHelpText(
      "after",
      examples("iommu-mc replay vfio-close/arm_smmu_v3 0.0.0", "iommu-mc replay vfio-close/arm_smmu_v3 0.0.0 --revert 0286300e6045"),
    )
    .action(async (suite: string, path: string, options: ReplayOptions) => done(await replay(suite, path, options)));
}

function addTopology(program: Command, done: (exitCode: number) => void): void {
  program
    .command("topology")
    .summary("make suites of a real machine's topology")
    .description("Works with topologies recorded on real machines.")
    .helpCommand(false)
    .command("import")
    .summary("make a file of suites from a recorded topology")
    .description(
      "Writes a TypeScript file with the groups of a recorded machine and the ownership suites on them, and tells on standard error what it kept and left out.",
    )
    .argument("<file>", "a topology.json")
    .option("--keep-group <n>", "keep this group, instead of one of several devices and one of a single device (repeatable)", collectNumber)
    .option("--out <file>", "the file to write; default: standard output, with imports relative to the working directory")
    .option("--name <name>", "what suites call the machine; default: after the file")
    .option("--iommu <driver>", "the model's IOMMU driver, where it is not the machine's")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "iommu-mc topology import topology.json --out machine.ts && iommu-mc check machine.ts",
        "iommu-mc topology import topology.json --keep-group 16 --keep-group 5 --out machine.ts",
      ),
    )
    .action(async (file: string, options: ImportOptions) => done(await importTopology(file, options)));
}

function addRecord(program: Command, done: (exitCode: number) => void): void {
  program
    .command("record")
    .summary("make a script that records what a kernel's IOMMU core does")
    .description(
      "Prints a shell script to be run as root on the machine that is to be recorded. It traces the IOMMU core and its users while a command runs or until Ctrl-C, and packs the trace and the machine's topology (docs/record.md).",
    )
    .option(
      "--btf <file>",
      "types of the kernel to be recorded: a copy of its /sys/kernel/btf/vmlinux; files of modules beside it are read too",
    )
    .option("--release <release>", "its release, as uname -r prints it; default, without --btf: this machine's kernel")
    .option("--output <file>", "the file to write; default: standard output")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "iommu-mc record --output record.sh && sudo sh record.sh",
        "iommu-mc record --btf btf/vmlinux --release 6.1.0-50-amd64 --output record.sh",
      ),
    )
    .action(async (options: RecordOptions) => done(await record(options)));
}

function addNew(program: Command, done: (exitCode: number) => void): void {
  program
    .command("new")
    .summary("begin a design change of your own")
    .description("Makes a folder with your own copy of the Linux model, a suite with a design, a scenario and a claim, and a README.")
    .argument("<folder>", "the folder to make; it may be there if it is empty")
    .option("--name <name>", "what the design is called; default: after the folder")
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc new my-change && iommu-mc check my-change/suite.ts", "iommu-mc new ../rfc-v3"))
    .action(async (folder: string, options: NewOptions) => done(await makeNew(folder, options)));
}

function addLedger(program: Command, done: (exitCode: number) => void): void {
  program
    .command("ledger")
    .summary("compare a run of all suites with what is recorded of them")
    .description("Runs all bundled suites and compares verdicts, counts and paths with reports/ledger.json. Exit code 1 if they differ.")
    .option("--update", "record the run instead")
    .addOption(fileOption())
    .option("--ledger <file>", "the ledger to compare with, instead of the bundled one")
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc ledger", "iommu-mc ledger --update", "iommu-mc ledger --file mine.ts --ledger mine.json"))
    .action(async (options: LedgerOptions) => done(await ledger(options)));
}

function addReport(program: Command, done: (exitCode: number) => void): void {
  program
    .command("report")
    .summary("keep a Markdown page of every suite")
    .description(
      "Runs suites and writes a page of each, with its assumptions, bounds, verdicts and traces, and an index. Pages without a suite are removed. Exit code 1 if a suite is not as expected.",
    )
    .argument("[design]", "a design, or the path of a .ts file that exports suites; default: all bundled suites")
    .option("--out <folder>", "where the pages go; default, of all bundled suites only: reports/pages")
    .option("--check", "write nothing; exit code 1 if the folder is out of date")
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc report", "iommu-mc report --check", "iommu-mc report my-design.ts --out pages"))
    .action(async (design: string | undefined, options: ReportOptions) => done(await report(design, options)));
}

function addGraph(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("graph")
    .summary("draw calls, lock order or topology, in DOT")
    .description(
      "Prints a graph in DOT, for Graphviz: the calls among model functions, the order in which a suite takes its locks (which runs it), or the objects it begins with.",
    )
    .addArgument(new Argument("<what>", "which graph").choices(GRAPHS));
  addVariantOptions(addSelectionOptions(command));
  addLimitOptions(command)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "iommu-mc graph procedures linux-6.1 | dot -Tsvg > calls.svg",
        "iommu-mc graph lock-order --suite vfio-close/arm_smmu_v3",
        "iommu-mc graph topology my-design.ts",
      ),
    )
    .action(async (kind: GraphKind, design: string | undefined, options: GraphOptions) => done(await graph(kind, design, options)));
}

function addCorpus(program: Command, done: (exitCode: number) => void): void {
  program
    .command("corpus")
    .summary("see known bugs again, before their fix and with it")
    .description(
      "Runs each known bug's suite in the design just before its fix, and in the one with it. Exit code: 0 all come out as claimed, 1 one does not, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("[bug]", "number or name of one, to see its trace in full; default: all of them")
    .option("--file <file>", "a .ts file that exports suites, bugs and switches, instead of the bundled ones")
    .addOption(cacheOption())
    .addOption(jobsOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc corpus", "iommu-mc corpus owned-group-without-domain", "iommu-mc corpus 3 --json"))
    .action(async (bug: string | undefined, options: CorpusOptions) => done(await corpus(bug, options)));
}

function addClaims(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("claims")
    .summary("see what was said of designs, as the checker decides it")
    .description(
      "Runs the suites and audits that claims rest on, and says which claims hold, are refuted, or are of designs that are equivalent or differ. Exit code: 0 all come out as recorded, 1 one does not, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("[claim]", "number of one, to see what it rests on, with traces; default: all of them")
    .option("--file <file>", "a .ts file that exports suites and claims, instead of the bundled ones");
  addLimitOptions(command)
    .addOption(cacheOption())
    .addOption(jobsOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc claims", "iommu-mc claims A5", "iommu-mc claims A5 --json"))
    .action(async (claim: string | undefined, options: ClaimsOptions) => done(await claimsCommand(claim, options)));
}

function addSeries(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("series")
    .summary("see what each patch of a series breaks and mends")
    .description(
      "Runs all suites of a design with each prefix of a series, and finds the fewest patches of it that break something by themselves. Exit code: 0 each patch keeps what held before it, 1 one does not, or needs a later one, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("<base>", BASE)
    .argument("<commit...>", "the patches, first to last, by sha");
  addSetOptions(command)
    .addHelpText(
      "after",
      examples("iommu-mc series linux-6.1 dba9ca9d41f5 49a22aae7d9c", "iommu-mc series linux-6.1 dcf40ed3a20d --suite 'partial-attach/*'"),
    )
    .action(async (base: string, commits: string[], options: SetOptions) => done(await series(base, commits, options)));
}

function addBackports(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("backports")
    .summary("see which sets of fixes a design can take")
    .description(
      "Runs all suites of a design with each subset of some fixes: which are safe, which fix needs which, by its patch or since something breaks without, and the smallest safe set of each. Exit code: 0 each fix is in a safe set, 1 one is in none, 2 wrong usage or model, 3 unfinished.",
    )
    .argument("<base>", BASE)
    .option("--to <commit...>", "the fixes, by sha")
    .option("--carry", "let a fix bring what it needs and is neither there nor named; otherwise it makes no sense without");
  addSetOptions(command)
    .addHelpText(
      "after",
      examples(
        "iommu-mc backports linux-6.1 --to dcf40ed3a20d 4c8ad9da0566 dba9ca9d41f5",
        "iommu-mc backports ppc64-6.1 --of 'ppc64-*' --carry --to a940904443e4 a5c57fd2e9bd",
      ),
    )
    .action(async (base: string, options: BackportsOptions) => done(await backports(base, options)));
}

function addBisect(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("bisect")
    .summary("find the commit that broke something between two designs")
    .description(
      "Goes from a good design to a bad one by halves, commit by commit. Exit code: 0 the first bad commit was found, 1 there is nothing to find, 2 wrong usage or model, 3 unfinished, or sets between could not be tested.",
    )
    .argument("<good>", "a design, with commits put in (+SHA) and taken out (-SHA): linux-6.1+dcf40ed3a20d")
    .argument("<bad>", "the same of the bad one")
    .requiredOption("--suite <name>", "the suite that tells them apart")
    .option("--property <code>", "only that property or check; otherwise, whatever is violated that is not in the good design")
    .option("--faults <n>", "failures that may be injected in one behaviour, instead of the scenario's number", wholeNumber);
  addLimitOptions(command)
    .addOption(fileOption())
    .addOption(cacheOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("iommu-mc bisect linux-6.1+dcf40ed3a20d linux-6.1-0286300e6045 --suite vfio-close/arm_smmu_v3 --property L2"),
    )
    .action(async (good: string, bad: string, options: BisectOptions) => done(await bisect(good, bad, options)));
}

function addStale(program: Command, done: (exitCode: number) => void): void {
  program
    .command("stale")
    .summary("see which modelled functions a kernel tree has changed")
    .description(
      "Compares the functions of a kernel tree with fingerprints of those that the procedures were modelled from, as their docstrings say. Comments and white space do not count. Exit code: 0 all are as modelled, 1 some have changed, are missing, or are not at the line that a docstring says, 2 wrong usage.",
    )
    .requiredOption("--tree <folder>", "a kernel's source tree")
    .option("--record", "record the tree's fingerprints of what is modelled from its version")
    .option("--models <folder>", "a folder of models, instead of the bundled ones")
    .addOption(jsonOption())
    .addHelpText("after", examples("iommu-mc stale --tree linux-6.18", "iommu-mc stale --tree linux-6.1.176 --record"))
    .action(async (options: StaleOptions) => done(await stale(options)));
}

function addValidate(program: Command, done: (exitCode: number) => void): void {
  program
    .command("validate")
    .summary("see whether the model explains what a real kernel did")
    .description(
      "Leads the model of Linux through a recorded trace: calls, arguments and results, in their order within each task and across tasks. Exit code: 0 explained, 1 a record is not, 2 wrong usage or input, 3 more states were possible at a time than are kept, or events were lost.",
    )
    .argument("<trace>", "a trace, or the folder of a recording, which has a topology.json beside it")
    .option("--design <name>", "the design; otherwise, that of the kernel's release")
    .option("--topology <file>", "the machine's devices, instead of the topology.json beside the trace")
    .option("--limit <n>", "the most states that may be possible at a time", positiveNumber, 5000)
    .option(
      "--bisect-commits",
      "look for commits that the kernel has beside those of the design, or is without, until it explains the trace",
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("iommu-mc validate my-recording", "iommu-mc validate trace.txt --topology topology.json --design linux-6.1"),
    )
    .action(async (trace: string, options: ValidateOptions) => done(await validate(trace, options)));
}

/** Options of commands that check a design in many sets of commits. */
function addSetOptions(command: Command): Command {
  addVariantOptions(
    command
      .option("--suite <name>", "only the suites of that name; * stands for anything")
      .option("--of <design>", "ask the suites of other designs too, those of that name; * stands for anything"),
  );
  return addLimitOptions(command).addOption(fileOption()).addOption(cacheOption()).addOption(jobsOption()).addOption(jsonOption());
}

// What an option means is the same wherever it stands.

function fileOption(): Option {
  return new Option("--file <file>", "a .ts file that exports suites, instead of the bundled ones");
}

function jsonOption(): Option {
  return new Option("--json", "print one JSON document (docs/json.md)");
}

function cacheOption(): Option {
  return new Option("--cache", "of suites whose code is unchanged since they last came to their end, say what was found out then");
}

function jobsOption(): Option {
  return new Option(
    "--jobs <n>",
    "threads that suites run on, and that explore a large one together if no other is left (default: one for each core)",
  ).argParser(positiveNumber);
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
