/** `iommu-mc record`: a script that records a kernel. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release as ownRelease } from "node:os";
import { dirname, join } from "node:path";
import { Btf } from "../ftrace/btf.js";
import { PROBE_GROUP, probeSet } from "../ftrace/probe-set.js";
import type { JsonRecord } from "../report/json.js";
import { packageRoot } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { requireFile } from "./select.js";
import { print } from "./terminal.js";

export interface RecordOptions {
  readonly btf?: string;
  readonly release?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** Where a kernel tells its own types. */
const OWN_BTF = "/sys/kernel/btf/vmlinux";

/** Modules that have functions of interest; each has a BTF of its own beside that of the kernel. */
const MODULES = /^(?:vfio\w*|virtio_iommu|iommufd)$/;

/** Writes the script to standard output or `--output`, and tells on standard error which functions will lack their arguments. */
export async function record(options: RecordOptions): Promise<ExitCode> {
  const { btf = OWN_BTF, release = ownRelease(), output } = options;
  requireFile(btf, "Copy /sys/kernel/btf/vmlinux from the machine that is to be recorded; its kernel has it with CONFIG_DEBUG_INFO_BTF.");
  if (options.btf !== undefined && options.release === undefined) {
    throw new UsageError("of which kernel are these types?", "Give what uname -r prints there with --release.");
  }
  if (!/^\d+\.\d+[\w.+~-]*$/.test(release))
    throw new UsageError(`"${release}" is no release of a kernel`, "It is what uname -r prints: 6.1.0-50-amd64.");
  const { lines, functions, withoutArguments } = probeSet(readBtf(btf), release);
  const text = readFileSync(join(packageRoot(), "src/ftrace/record.sh"), "utf8")
    .replaceAll("@RELEASE@", release)
    .replaceAll("@GROUP@", PROBE_GROUP)
    // A function, since a dollar in a text has a meaning of its own.
    .replace("@PROBES@", () => lines.join("\n"));
  if (output !== undefined) writeFileSync(output, text);
  const out = output ?? null;
  if (options.json) {
    const document: JsonRecord = {
      ...headerOf("record"),
      out,
      text: out === null ? text : null,
      release,
      functions,
      withoutArguments,
      exitCode: 0,
    };
    await print(jsonText(document));
    return 0;
  }
  process.stderr.write(
    `for Linux ${release}: ${functions.length} functions, ${withoutArguments.length} of them without their arguments, since no BTF tells of them\n`,
  );
  if (output === undefined) await print(text);
  else process.stderr.write(`run it there as root: sh ${output}\n`);
  return 0;
}

/** The kernel's types, and those of its modules that lie beside them. */
function readBtf(file: string): [Btf, ...Btf[]] {
  const kernel = new Btf(readFileSync(file), file);
  const folder = dirname(file);
  const modules = readdirSync(folder).filter((name) => MODULES.test(name));
  return [kernel, ...modules.map((name) => new Btf(readFileSync(join(folder, name)), join(folder, name), kernel))];
}
