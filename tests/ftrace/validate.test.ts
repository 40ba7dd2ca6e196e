/** Whether the model explains what real kernels did, and refuses what they did not do. */
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/ftrace/explain.js";
import { openValidation } from "../../src/session/validate.js";

const claim = resolve(import.meta.dirname, "fixtures/claim-6.1");

async function outcomeOf(path: string): Promise<{ readonly inScope: number } & Outcome> {
  const { run, scope } = await openValidation(path, { limit: 1000 });
  for (;;) {
    const { done, value } = run.next();
    if (done) return { ...value, inScope: scope.happenings.length };
  }
}

/** A copy of the recording with other lines. */
function changed(recording: string, change: (lines: string[]) => string[]): string {
  const copy = mkdtempSync(join(tmpdir(), "iommu-mc-"));
  cpSync(recording, copy, { recursive: true });
  const lines = readFileSync(join(recording, "trace.jsonl"), "utf8").trimEnd().split("\n");
  writeFileSync(join(copy, "trace.jsonl"), `${change(lines).join("\n")}\n`);
  return copy;
}

/** The number of the n-th line, from 0, with all of these in it. */
function lineWith(lines: readonly string[], n: number, ...texts: readonly string[]): number {
  const found = lines.flatMap((line, number) => (texts.every((text) => line.includes(text)) ? [number] : []));
  return found[n] as number;
}

describe("a user of 6.1 that claims a group, attaches it, detaches it and gives it back", () => {
  it("is explained", async () => {
    const { explained, inScope, unexplained } = await outcomeOf(claim);
    expect(unexplained).toBeNull();
    expect(inScope).toBeGreaterThan(25);
    expect(explained).toBe(inScope);
  });

  it.each([
    [
      "a result is another",
      (lines: string[]) =>
        lines.map((line, n) =>
          n === lineWith(lines, 0, '"ret"', '"ev": "iommu_group_claim_dma_owner"') ? line.replace('"ret": 0', '"ret": -1') : line,
        ),
      /ends with 0, and in the record with -EPERM/,
    ],
    [
      "an attach is missing",
      (lines: string[]) => {
        const call = lineWith(lines, 1, '"call"', '"__iommu_attach_device"');
        const end = lineWith(lines, 1, '"ret"', '"ev": "__iommu_attach_device"');
        return lines.filter((_, n) => n < call || n > end);
      },
      /__iommu_attach_device\(.*is not what was recorded/,
    ],
    [
      "the device goes to another domain",
      (lines: string[]) => {
        const n = lineWith(lines, 3, '"call"', '"__iommu_attach_device"');
        return lines.with(n, (lines[n] as string).replace(/"arg_domain": "\w+"/, '"arg_domain": "0xffff8c203fecc890"'));
      },
      /in the record with 0xffff8c203fecc890/,
    ],
    [
      "the group has an owner too early",
      (lines: string[]) => {
        const n = lineWith(lines, 0, '"call"', '"__iommu_group_set_domain"');
        return lines.with(n, (lines[n] as string).replace('"ocnt": 0', '"ocnt": 1'));
      },
      /owner_cnt = 0, and in the record it is 1/,
    ],
    [
      "the domain is of another type",
      (lines: string[]) => {
        const n = lineWith(lines, 0, '"call"', '"__iommu_attach_device"');
        return lines.with(n, (lines[n] as string).replace('"t_domain": "0x1"', '"t_domain": "0x4"'));
      },
      /of type UNMANAGED, and in the record the type is IDENTITY/,
    ],
    [
      "VFIO attaches another domain than it has made",
      (lines: string[]) => {
        const n = lineWith(lines, 0, '"call"', '"iommu_attach_group"');
        return lines.with(n, (lines[n] as string).replace(/"arg_domain": "\w+"/, '"arg_domain": "0xffff8c203fecc891"'));
      },
      /iommu_attach_group\(.*in the record with 0xffff8c203fecc891/,
    ],
    [
      "VFIO does not detach a group that leaves its container",
      (lines: string[]) => {
        const call = lineWith(lines, 0, '"call"', '"iommu_detach_group"');
        const end = lineWith(lines, 0, '"ret"', '"iommu_detach_group"');
        return lines.filter((_, n) => n < call || n > end);
      },
      /__iommu_group_set_domain\(.*is not what was recorded/,
    ],
    [
      "a container refuses a group for no reason",
      (lines: string[]) => {
        const n = lineWith(lines, 0, '"ret"', '"vfio_iommu_type1_attach_group"');
        return lines.with(n, (lines[n] as string).replace('"ret": 0', '"ret": -22'));
      },
      /vfio_iommu_type1_attach_group\(\) = 0: ends with 0, and in the record with -EINVAL/,
    ],
  ])("is not if %s", async (_, change, told) => {
    const { unexplained, explained, inScope } = await outcomeOf(changed(claim, change));
    expect(explained).toBeLessThan(inScope);
    expect(unexplained?.allowed.map(({ event, why }) => `${event}: ${why}`).join("\n")).toMatch(told);
  });
});

describe("a pSeries of 6.12 that boots, and a user who claims a table group and gives it back", () => {
  const lent = resolve(import.meta.dirname, "fixtures/claim-pseries-6.12");

  it("is explained", async () => {
    const { explained, inScope, unexplained } = await outcomeOf(lent);
    expect([explained, unexplained === null]).toEqual([inScope, true]);
    expect(inScope).toBeGreaterThan(40);
  });

  it.each([
    [
      "a device comes into the group of another PHB",
      '"add_device_to_group"',
      2,
      '"groupID": 1',
      '"groupID": 2',
      /add_device_to_group.*is of group1/,
    ],
    [
      "another table group is given back",
      '"spapr_tce_release_ownership"',
      0,
      "480cdc0",
      "480cdc8",
      /spapr_tce_release_ownership.*is of group2.iommu_data/,
    ],
    [
      "the table group was not taken",
      '"spapr_tce_take_ownership"',
      1,
      '"ret": 0',
      '"ret": -1',
      /ends with 0, and in the record with -EPERM/,
    ],
    ["the device had a driver that nobody saw leave", '"__iommu_take_dma_ownership"', 0, '"ocnt": 0', '"ocnt": 1', /owner_cnt = 0/],
  ] as const)("is not if %s", async (_, event, n, from, to, told) => {
    const other = changed(lent, (lines) => {
      const place = lineWith(lines, n, event);
      return lines.with(place, (lines[place] as string).replace(from, to));
    });
    const { unexplained } = await outcomeOf(other);
    expect(unexplained?.allowed.map(({ event: own, why }) => `${own}: ${why}`).join("\n")).toMatch(told);
  });
});

describe("a claim of 7.2 that waits while another task changes the group's type", () => {
  const race = resolve(import.meta.dirname, "fixtures/race-7.2");

  it("is explained", async () => {
    const { explained, inScope, unexplained } = await outcomeOf(race);
    expect([explained, unexplained === null]).toEqual([inScope, true]);
  });

  it("is not if it gets the mutex while the other still has it", async () => {
    const { unexplained } = await outcomeOf(
      changed(race, (lines) => {
        const claims = lines.filter((line) => line.includes('"pid": 2772'));
        const others = lines.filter((line) => !claims.includes(line));
        const attach = lineWith(others, 0, '"call"', '"ev": "__iommu_attach_device"');
        return [...others.slice(0, attach), ...claims, ...others.slice(attach)];
      }),
    );
    expect(unexplained?.record.record.event).toBe("__iommu_take_dma_ownership");
  });
});

/** Whole recordings, if the folder they are in is given. */
const folder = process.env.IOMMU_MC_TRACES ?? "";
const recordings = existsSync(folder)
  ? [
      "5.10-intel-dma",
      "6.1-intel-dma",
      "6.12-intel-dma",
      "6.12-pseries-tce",
      "7.2-intel-ats",
      "7.2-intel-dma",
      "7.2-intel-kdump",
      "7.2-intel-kdump/kdump",
      "7.2-intel-stress",
      "7.2-smmuv3-dma",
      "7.2-virtio-lateload",
    ]
  : [];

describe.runIf(recordings.length > 0)("recordings of whole runs", () => {
  it.each(recordings)("%s is explained", { timeout: 120_000 }, async (name) => {
    const { unexplained, explained, inScope } = await outcomeOf(join(folder, name));
    expect(unexplained).toBeNull();
    expect(explained).toBe(inScope);
  });
});
