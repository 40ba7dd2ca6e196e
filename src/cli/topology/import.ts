/** `iommu-mc topology import`: a scenario of a real machine's topology. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { iommuDriverOf, readTopology } from "../../ftrace/topology.js";
import type { FieldSpec, Schema } from "../../lang/schema.js";
import type { Suite } from "../../lang/suite.js";
import type { JsonTopologyImport } from "../../report/json.js";
import { enumerate, hanging } from "../../report/wrap.js";
import { modelLoader, packageRoot, session } from "../../session/open.js";
import { type ExitCode, machineOf } from "../../session/run-suite.js";
import { UsageError, unknownName } from "../errors.js";
import { headerOf, jsonText } from "../header.js";
import { requireFile } from "../select.js";
import { print } from "../terminal.js";
import { chooseGroups } from "./choose.js";
import { HEADER, topologyFile } from "./write.js";

export interface ImportOptions {
  readonly keepGroup?: readonly number[];
  readonly out?: string;
  readonly name?: string;
  readonly iommu?: string;
  readonly json?: boolean;
}

/** Writes the file to standard output or `--out`, and tells on standard error what it kept and left out. */
export async function importTopology(file: string, options: ImportOptions): Promise<ExitCode> {
  requireFile(file, "Give a topology.json recorded on the machine.");
  const { out } = options;
  if (out !== undefined && existsSync(out) && !readFileSync(out, "utf8").startsWith(HEADER)) {
    throw new UsageError(`${out} exists and was not written by this command`, "Choose another --out, or remove it first.");
  }
  const model = modelBounds();
  const choice = chooseGroups(readTopology(readFileSync(file, "utf8"), file), options.keepGroup ?? [], model.devicesOfGroup);
  const ofMachine = iommuDriverOf(choice.iommus);
  const ownDriver = ofMachine === null || !model.iommuDrivers.includes(ofMachine) ? null : ofMachine;
  const iommuDriver = options.iommu ?? ownDriver ?? STAND_IN_IOMMU;
  if (!model.iommuDrivers.includes(iommuDriver)) throw unknownName("IOMMU driver", iommuDriver, model.iommuDrivers);
  const standIns = [
    ...choice.standIns,
    ...(ownDriver === iommuDriver
      ? []
      : [
          `${iommuDriver} drives what the machine has (${iommuNames(choice.iommus)}); the model has ${enumerate(model.iommuDrivers)} (--iommu)`,
        ]),
  ];
  const folder = basename(dirname(resolve(file)));
  const imported = {
    ...choice,
    leftOut: [...choice.leftOut, ...standIns.map((what) => `stand-in: ${what}`)],
    iommuDriver,
    name: options.name ?? nameOf(file),
    source: `${folder}/${basename(file)}`,
  };
  const path = resolve(out ?? "imported-topology.ts");
  const text = topologyFile(imported, dirname(path), packageRoot());
  const suites = suitesOf(text, path);
  if (out !== undefined) writeFileSync(out, text);
  tell([
    ...choice.groups.map(({ id, devices, why }) => `kept      group ${id} (${devices.map(told).join(", ")}): ${why}`),
    ...choice.leftOut.map((what) => `left out  ${what}`),
    ...standIns.map((what) => `stand-in  ${what}`),
    `iommu     ${iommuDriver}${options.iommu === undefined ? "" : " (as asked)"}, the machine's: ${iommuNames(choice.iommus)}`,
    `suites    ${suites.map(({ name }) => name).join(", ")}`,
    ...(out === undefined ? [] : [`check     iommu-mc check ${out}`]),
  ]);
  if (options.json) {
    const document: JsonTopologyImport = {
      ...headerOf("topology import"),
      out: out ?? null,
      text: out === undefined ? text : null,
      kept: choice.groups.map(({ id, devices, why }) => ({ group: id, devices: devices.map(({ name }) => name), why })),
      leftOut: choice.leftOut,
      standIns,
      iommu: iommuDriver,
      suites: suites.map(({ name }) => name),
      exitCode: 0,
    };
    await print(jsonText(document));
  } else if (out === undefined) await print(text);
  return 0;
}

/** What the model of Linux can hold, read from its schema. */
function modelBounds(): { devicesOfGroup: number; iommuDrivers: readonly string[] } {
  const { linux } = modelLoader().load(resolve(packageRoot(), "models/linux/schema.ts")).exports as { linux: Schema };
  const spec = (struct: string, field: string): FieldSpec => linux.struct(struct).field(field).spec;
  const devices = spec("iommu_group", "devices");
  const driver = spec("iommu_ops", "driver");
  if (devices.kind !== "list" || driver.kind !== "enumeration") throw new Error("the Linux model's schema is not as expected");
  return { devicesOfGroup: devices.capacity, iommuDrivers: driver.values.filter((name) => !WITHOUT_TYPE1.has(name)) };
}

/** What VFIO does on these is not vfio_iommu_type1, which the suites are about. */
const WITHOUT_TYPE1: ReadonlySet<string> = new Set(["spapr_tce"]);

/** Drives an IOMMU that the model has no driver for: most of the model's suites are about it. */
const STAND_IN_IOMMU = "intel_iommu";

function iommuNames(iommus: readonly string[]): string {
  return iommus.filter((name) => name !== "").join(", ") || "not recorded";
}

/** `6.1-intel-dma` for `6.1-intel-dma/topology.json`; otherwise the file's own name. */
function nameOf(file: string): string {
  const own = basename(file, extname(file));
  const name = /^topology/.test(own) ? join(basename(dirname(resolve(file))), own.replace(/^topology-?/, "")).replace(/\/$/, "") : own;
  return name.replace(/[^\w.]+/g, "-").replace(/^-+|-+$/g, "") || "machine";
}

/** The suites of the text, each tried as far as its initial state. Throws a ModelError if the model cannot hold the machine. */
function suitesOf(text: string, path: string): readonly Suite[] {
  const loader = modelLoader();
  const { suites } = loader.loadSource(text, path).exports as { suites: readonly Suite[] };
  const opened = session(suites, loader);
  for (const suite of opened.suites) machineOf(opened, suite);
  return opened.suites;
}

function told({ name, driver, managed }: { name: string; driver: string; managed: boolean }): string {
  return driver === "" ? name : `${name} with ${driver}${managed ? ", which manages DMA ownership" : ""}`;
}

function tell(lines: readonly string[]): void {
  const width = Math.max(60, process.stderr.columns || 100);
  for (const line of lines) {
    const [head, text] = [line.slice(0, 10), line.slice(10)];
    process.stderr.write(`${hanging(head, text, width).join("\n")}\n`);
  }
}
