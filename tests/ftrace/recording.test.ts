/** A trace and what stands beside it. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRecording } from "../../src/ftrace/recording.js";
import { temporaryFolder } from "../cli/helpers.js";

const { folder } = temporaryFolder();

/** A folder with these files. */
function recording(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(folder, "recording-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

describe("a recording", () => {
  it("is a folder of a trace, its probes, the topology and the groups", async () => {
    const path = recording({
      "trace.txt": "# tracer: nop\n# kernel 6.1.0-50-amd64\n#\n",
      "kprobe_events.txt":
        "p:kprobes/iommu_probe_device iommu_probe_device d=+0(+0($arg1)):string\nr10:kp/__iommu_probe_device_ret __iommu_probe_device.part.0\np:kp/viommu_probe_device virtio_iommu:viommu_probe_device dev=+0(+0(%di)):string grp=+752(%di):x64\nu:other/main /bin/sh:0x10\n",
      "topology.json":
        '[{"bus":"pci","device":"0000:05:01.0","path":"/sys/devices/pci0000:00/0000:00:05.0/0000:04:00.0/0000:05:01.0","vendor":"0x8086","device_id":"0x100e","class":"0x020000","iommu_group":"16","iommu":"dmar0","driver":"e1000","is_bridge":false}]',
      "groups-00-start.txt":
        "group 16 type=DMA-FQ name=\n  device 0000:05:01.0 bus=pci driver=e1000\n  resv 0x0 0x1 msi\niommus:\n  dmar0: 0000:05:01.0\n",
      "groups-99-end.txt": "group 17 type= name=\n  device 0000:05:02.0 bus=pci driver=\n",
    });
    expect(await openRecording(path)).toEqual({
      trace: join(path, "trace.txt"),
      release: "6.1.0-50-amd64",
      probes: [
        { kind: "call", function: "iommu_probe_device", group: "kprobes", fields: ["d"] },
        { kind: "return", function: "__iommu_probe_device", group: "kp", fields: [] },
        { kind: "call", function: "viommu_probe_device", group: "kp", fields: ["dev", "grp"] },
      ],
      topology: [
        {
          name: "0000:05:01.0",
          bus: "pci",
          path: "/sys/devices/pci0000:00/0000:00:05.0/0000:04:00.0/0000:05:01.0",
          vendor: "0x8086",
          deviceId: "0x100e",
          group: 16,
          iommu: "dmar0",
          driver: "e1000",
          classCode: "0x020000",
          isBridge: false,
        },
      ],
      groups: [{ id: 16, type: "DMA-FQ", devices: [{ name: "0000:05:01.0", driver: "e1000" }] }],
    });
  });

  it("may be a trace alone", async () => {
    const path = recording({ "my.trace": "# tracer: nop\n" });
    const trace = join(path, "my.trace");
    expect(await openRecording(trace)).toEqual({ trace, release: null, probes: null, topology: null, groups: null });
  });

  it.each([
    ["uname.txt", "Linux host 7.2.13+deb14-amd64 #1 SMP x86_64\n", "7.2.13+deb14-amd64"],
    ["scenario.log", "kernel 7.2.13 x86_64\n[16.49] STEP\n", "7.2.13"],
  ])("has its kernel's release in %s if not in the trace", async (name, text, release) => {
    expect((await openRecording(recording({ "trace.jsonl": "{}\n", [name]: text }))).release).toBe(release);
  });

  it("is to be unpacked", async () => {
    await expect(openRecording("iommu-6.1.0-50-amd64.tar.gz")).rejects.toThrow("iommu-6.1.0-50-amd64.tar.gz is an archive");
  });

  it("without a trace is none", async () => {
    await expect(openRecording(recording({ "topology.json": "[]" }))).rejects.toThrow("has no trace");
  });
});
