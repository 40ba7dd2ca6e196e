/** A recording: a trace, and beside it what was written down of the machine. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ModelError } from "../lang/errors.js";
import { type GroupSnapshot, readGroups } from "./groups.js";
import { linesOf } from "./lines.js";
import { type Probe, readProbes } from "./probes.js";
import { type RecordedDevice, readTopology } from "./topology.js";

export interface Recording {
  /** The file of the trace, for `readTrace`. */
  readonly trace: string;
  /** Release of the kernel: `6.1.0-50-amd64`; null if nobody wrote it down. */
  readonly release: string | null;
  /** Null if it was not written down, which is not that there were none. */
  readonly probes: readonly Probe[] | null;
  readonly topology: readonly RecordedDevice[] | null;
  /** The first snapshot of the groups; null if there is none. */
  readonly groups: readonly GroupSnapshot[] | null;
}

/** Names that the trace of a folder may have, the one that is rather taken first; each also with `.gz`. */
const TRACES = ["trace.jsonl", "trace.txt", "trace-filtered.txt", "trace-raw.txt", "trace"];

/** The recording of a folder, or of a trace and what is beside it. Throws a ModelError if the folder has no trace, or the path is that of an archive. */
export async function openRecording(path: string): Promise<Recording> {
  if (/\.(?:tar(?:\.gz)?|tgz)$/.test(path)) {
    throw new ModelError(`${path} is an archive`, `Unpack it, tar xf ${path}, and give the folder that was in it.`);
  }
  const isFolder = statSync(path).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const trace = isFolder
    ? TRACES.flatMap((name) => [name, `${name}.gz`].map((file) => join(path, file))).find((file) => existsSync(file))
    : path;
  if (trace === undefined) throw new ModelError(`${path} has no trace`, `It would be called ${TRACES.join(", ")}, or so with .gz.`);
  const beside = (name: string): string | null => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : null);
  const probes = beside("kprobe_events.txt");
  const topology = beside("topology.json");
  const snapshot = readdirSync(folder)
    .filter((name) => /^groups-.*\.txt$/.test(name))
    .sort()[0];
  return {
    trace,
    release:
      (await releaseInHeader(trace)) ??
      /^Linux \S+ (\S+)/.exec(beside("uname.txt") ?? "")?.[1] ??
      /^(?:crash )?kernel (\S+)/m.exec(beside("scenario.log") ?? "")?.[1] ??
      null,
    probes: probes === null ? null : readProbes(probes),
    topology: topology === null ? null : readTopology(topology, join(folder, "topology.json")),
    groups: snapshot === undefined ? null : readGroups(beside(snapshot) as string),
  };
}

/** `# kernel 6.1.0-50-amd64` among the comments at the top of the trace. */
async function releaseInHeader(trace: string): Promise<string | undefined> {
  for await (const { text } of linesOf(trace)) {
    const release = /^# kernel (\S+)/.exec(text)?.[1];
    if (release !== undefined || !text.startsWith("#")) return release;
  }
  return undefined;
}
