/** Reading traces: every form, and what is wrong with a file. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readTrace } from "../../src/ftrace/read.js";
import type { TraceRecord } from "../../src/ftrace/record.js";
import { ModelError } from "../../src/lang/errors.js";
import { temporaryFolder } from "../cli/helpers.js";

const { write } = temporaryFolder();

async function records(file: string): Promise<TraceRecord[]> {
  const read: TraceRecord[] = [];
  for await (const record of readTrace(file)) read.push(record);
  return read;
}

/** What is said of a file, and how many records were handed out before. */
async function refusal(file: string): Promise<{ readonly said: string; readonly before: number }> {
  let before = 0;
  try {
    for await (const _ of readTrace(file)) before++;
  } catch (error) {
    if (error instanceof ModelError) return { said: error.describe(), before };
    throw error;
  }
  throw new Error(`${file} was read to the end`);
}

const claim =
  '{"i":0,"t":6.392,"cpu":1,"task":"vfiot","pid":804,"irq":"....","kind":"ret","ev":"iommu_group_claim_dma_owner","caller":"vfio_container_attach_group+0x5b/0x250","f":{"ret":4294967295,"grp":"0x0","ocnt":7,"owner":18446744073709551597}}\n';

describe("JSON lines", () => {
  it("are records: errnos signed, pointers exact, nothing read through NULL", async () => {
    expect(await records(write("claim.jsonl", claim))).toEqual([
      {
        line: 1,
        seconds: 6.392,
        cpu: 1,
        task: "vfiot",
        pid: 804,
        kind: "return",
        event: "iommu_group_claim_dma_owner",
        caller: "vfio_container_attach_group",
        fields: { ret: -1, grp: "0x0", ocnt: null, owner: null },
      },
    ]);
    const large = claim.replace('"0x0"', '"0xffff8a92843d8000"').replace("4294967295", "-4611686018359094184");
    expect((await records(write("large.jsonl", large)))[0]?.fields).toEqual({
      ret: "-4611686018359094184",
      grp: "0xffff8a92843d8000",
      ocnt: 7,
      owner: "18446744073709551597",
    });
  });

  it.each([
    ["0xffffffffffffffed", -19],
    ["18446744073709551597", -19],
    ["0xffffffed", -19],
    ["0xffff8a92843d8000", "0xffff8a92843d8000"],
    ["0x0", "0x0"],
  ])("a result of %s is %s", async (result, ret) => {
    const file = write("result.jsonl", claim.replace("4294967295", JSON.stringify(result)));
    expect((await records(file))[0]?.fields.ret).toBe(ret);
  });

  it("are read as they are asked for", async () => {
    const file = write("long.jsonl", `${claim.repeat(3)}no record\n`);
    let taken = 0;
    for await (const _ of readTrace(file)) if (++taken === 3) break;
    expect(taken).toBe(3);
    expect(await refusal(file)).toMatchObject({ before: 3 });
  });

  it("may be gzipped", async () => {
    expect(await records(write("claims.jsonl.gz", gzipSync(claim.repeat(3))))).toHaveLength(3);
  });
});

/** As a line that can be compared: `1 qemu ← f(a=b) = r`. */
function told({ line, cpu, task, pid, kind, event, caller, fields }: TraceRecord): string {
  const values = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return `${line} ${cpu} ${task}-${pid} ${kind} ${event}${caller === null ? "" : ` by ${caller}`}${values.length > 0 ? `: ${values.join(" ")}` : ""}`;
}

/** The records of a file of which nobody says where each stands. */
const withoutLines = (read: readonly TraceRecord[]) => read.map(({ line, ...rest }) => rest);

describe("ftrace's text", () => {
  it("gives the records of the JSON form of the same recording", async () => {
    const text = await records("tests/ftrace/fixtures/7.2-intel.trace");
    expect(withoutLines(text)).toEqual(withoutLines(await records("tests/ftrace/fixtures/7.2-intel.jsonl")));
    expect(new Set(text.map(({ kind }) => kind))).toEqual(new Set(["call", "return", "tracepoint", "mark"]));
  });

  it("has arguments that go on in the next line", async () => {
    const text = await records("tests/ftrace/fixtures/7.2-intel.trace");
    const store = text.find(({ event, kind }) => event === "iommu_group_store_type" && kind === "call");
    expect(store?.fields).toMatchObject({ gid: 16, buf: "identity\\n", count: "0x9" });
  });

  it("of the function_graph tracer gives calls and returns by its braces, of each task on its own", async () => {
    expect((await records("tests/ftrace/fixtures/function-graph.trace")).map(told)).toEqual([
      "10 1 qemu-1134 call iommu_group_claim_dma_owner: group=0xffff8a9287e66a00 owner=0xffff8a928a36f000",
      "11 1 qemu-1134 call mutex_lock by iommu_group_claim_dma_owner: lock=0xffff8a9287e66a58",
      "11 1 qemu-1134 return mutex_lock by iommu_group_claim_dma_owner",
      "12 1 qemu-1134 call __iommu_take_dma_ownership by iommu_group_claim_dma_owner",
      "13 1 qemu-1134 call iommu_attach: dev=0000:02:00.0 grp=0xffff8a9287e66a00",
      "14 0 <idle>-0 call tick_nohz_irq_exit",
      "15 1 qemu-1134 call __iommu_group_set_domain_internal by __iommu_take_dma_ownership",
      "16 1 qemu-1134 call __iommu_attach_device by __iommu_group_set_domain_internal",
      "16 1 qemu-1134 return __iommu_attach_device by __iommu_group_set_domain_internal: ret=-16",
      "17 0 <idle>-0 return tick_nohz_irq_exit",
      "18 1 qemu-1134 return __iommu_group_set_domain_internal by __iommu_take_dma_ownership: ret=-16",
      "19 1 qemu-1134 return __iommu_take_dma_ownership by iommu_group_claim_dma_owner: ret=-16",
      "20 1 qemu-1134 mark mark: text=the group stays as it was",
      "21 1 qemu-1134 return iommu_group_claim_dma_owner",
    ]);
  });

  it("of trace-cmd is read up to the events that it lost", async () => {
    const read: string[] = [];
    const whole = async () => {
      for await (const record of readTrace("tests/ftrace/fixtures/trace-cmd.txt")) read.push(told(record));
    };
    await expect(whole()).rejects.toThrow("CPU 1 lost 7 events");
    expect(read).toEqual([
      "4 0 <...>-1134 call iommu_group_claim_dma_owner: grp=0xffff8a9287e66a00 gid=14 dom=0xffff8a9288109800",
      "5 0 qemu-1134 call mutex_lock by iommu_group_claim_dma_owner",
      "6 0 qemu-1134 call __iommu_take_dma_ownership",
      "7 0 qemu-1134 call __iommu_group_alloc_blocking_domain by __iommu_take_dma_ownership",
      "7 0 qemu-1134 return __iommu_group_alloc_blocking_domain by __iommu_take_dma_ownership",
      "8 0 qemu-1134 return __iommu_take_dma_ownership",
      "9 0 qemu-1134 tracepoint attach_device_to_domain: device=0000:02:00.0",
      "10 0 qemu-1134 tracepoint io_page_fault: driver=dmar0 device=0000:02:00.0 iova=0x00000000dead0000 flags=0x0001",
      "11 0 qemu-1134 return iommu_group_claim_dma_owner: ret=-1 grp=0xffff8a9287e66a00",
      "12 0 qemu-1134 mark mark: text=the claim is refused",
    ]);
  });

  it.each([
    ["iommu_attach_device <-iommu_attach_group", "call iommu_attach_device by iommu_attach_group"],
    ["p_iommu_attach_device_0: (iommu_attach_device+0x0/0x90) arg1=(fault)", "call iommu_attach_device: arg1=null"],
    ["iommu_attach_device__return: (f+0x1/0x2 [vfio] <- iommu_attach_device) ret=0", "return iommu_attach_device by f: ret=0"],
    ["map: IOMMU: iova=0x1000 - 0x2000 paddr=0x0 size=4096", "tracepoint map: iova=0x1000 iova_end=0x2000 paddr=0x0 size=4096"],
    ["sched_wakeup: comm=qemu pid=7", "tracepoint sched_wakeup: comm=qemu pid=7"],
  ])("%s", async (event, wanted) => {
    const file = write("line.trace", `          qemu-system-x-7     (    4) [001] ..... 12.000001: ${event}\n${attached}`);
    expect(told((await records(file))[0] as TraceRecord)).toBe(`1 1 qemu-system-x-7 ${wanted}`);
  });
});

const attached = "            init-1       [000] ...1.     6.392374: attach_device_to_domain: IOMMU: device=0000:02:00.0\n";

/** Every folder of recordings, when there are some. */
describe.runIf(process.env.IOMMU_MC_TRACES !== undefined)("recordings", () => {
  const folder = process.env.IOMMU_MC_TRACES ?? "";
  const names = folder === "" ? [] : readdirSync(folder).filter((name) => existsSync(join(folder, name, "trace.jsonl.gz")));
  it.each(names)("%s is the same in both its forms", async (name) => {
    const text = withoutLines(await records(join(folder, name, "trace-filtered.txt.gz")));
    expect(text.length).toBeGreaterThan(0);
    expect(text).toEqual(withoutLines(await records(join(folder, name, "trace.jsonl.gz"))));
  });
});

describe("a file that is not as it should be", () => {
  it.each([
    ["is empty", "", ":1:1: the trace is empty", 0],
    ["is cut short", claim + claim.slice(0, 80), ":2:1: the file ends in the middle of a record", 1],
    ["has a line that is no JSON", `${claim}{"t":\n${claim}`, ":2:1: this line is no JSON", 1],
    ["has a line that is no object", `${claim}[1]\n`, ":2:1: this line is no object", 1],
    ["has a kind that is none", claim.replace('"ret",', '"exit",'), ':1:64: "kind" is "exit"\n  It is call, ret, tp or mark.', 0],
    ["lacks a field", claim.replace('"cpu":1,', ""), ':1:1: "cpu" is missing', 0],
    [
      "is the binary file of trace-cmd",
      "\x17\x08\x44tracing",
      ":1:1: this is the binary file of trace-cmd\n  Give what `trace-cmd report -i",
      0,
    ],
    ["is text and cut short", attached + attached.slice(0, -4), ":2:1: the file ends in the middle of a record", 1],
    [
      "has a line that is none of a trace",
      `${attached}iommu: Default domain type: Translated\n`,
      ":2:1: this line is no record of a trace: iommu: Def",
      1,
    ],
    [
      "lost events",
      `${attached}CPU:1 [LOST 11 EVENTS]\n${attached}`,
      ":2:1: CPU 1 lost 11 events\n  Nothing can be concluded past this",
      1,
    ],
    [
      "was overwritten",
      `# entries-in-buffer/entries-written: 10/17   #P:2\n${attached}`,
      ":1:1: the buffer has overwritten the first 7 of 17",
      0,
    ],
    [
      "is of another subsystem",
      attached.replace("attach_device_to_domain: IOMMU:", "sched_wakeup:"),
      ":1:1: no record is of the IOMMU subsystem: there are 1 of sched_wakeup",
      1,
    ],
    [
      "does not name the task",
      " 0)   0.1 us  |  iommu_attach_device();\n",
      ":1:1: this trace does not say of which task a line is\n  Record it again with",
      0,
    ],
  ])("that %s", async (what, text, said, before) => {
    const file = write(`${what.replaceAll(" ", "-")}.jsonl`, text);
    const refused = await refusal(file);
    expect(refused.said).toContain(`${file}${said}`);
    expect(refused.before).toBe(before);
  });

  it("that is gzipped and cut short", async () => {
    const whole = gzipSync(claim);
    const file = write("cut.jsonl.gz", whole.subarray(0, whole.length - 12));
    expect((await refusal(file)).said).toContain(`${file}:1:1: the gzipped file cannot be read on`);
  });
});
