/** Reading traces: every form, and what is wrong with a file. */
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

  it("may be gzipped", async () => {
    expect(await records(write("claims.jsonl.gz", gzipSync(claim.repeat(3))))).toHaveLength(3);
  });
});

describe("a file that is not as it should be", () => {
  it.each([
    ["is empty", "", ":1:1: the trace is empty", 0],
    ["is cut short", claim + claim.slice(0, 80), ":2:1: the file ends in the middle of a record", 1],
    ["has a line that is no JSON", `${claim}{"t":\n${claim}`, ":2:1: this line is no JSON", 1],
    ["has a line that is no object", "[1]\n", ":1:1: this line is no object", 0],
    ["has a kind that is none", claim.replace('"ret",', '"exit",'), ':1:64: "kind" is "exit"\n  It is call, ret, tp or mark.', 0],
    ["lacks a field", claim.replace('"cpu":1,', ""), ':1:1: "cpu" is missing', 0],
    [
      "is the binary file of trace-cmd",
      "\x17\x08\x44tracing",
      ":1:1: this is the binary file of trace-cmd\n  Give what `trace-cmd report -i",
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
