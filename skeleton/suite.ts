/** A change to DMA ownership in Linux 6.1: the design, a scenario to try it in, a claim, and the suite that puts them together. */
import { design, type Errno, idle, observe, type Proc, property, suite, thread, windows } from "iommu-mc";
import { linux61 } from "../models/linux/designs.js";
import { iommu_group_claim_dma_owner, iommu_group_release_dma_owner } from "../models/linux/iommu/ownership.js";
import { intelQ35 } from "../models/linux/machine/topologies/intel-q35.js";
import { ownershipScenario } from "../models/linux/machine/topology.js";
import { rebind } from "../models/linux/machine/workloads.js";
import { type IommuGroup, linux, type VfioGroup } from "../models/linux/schema.js";
import { C1, O1 } from "../properties/index.js";

/** Linux 6.1 with a commit that it does not have. A change of your own is an edit of a procedure in models/, or a commit that you declare here. */
export const myChange = design({
  ...linux61,
  name: "my-change",
  version: `${linux61.version}, changed`,
  includes: [...linux61.includes, "dcf40ed3a20d"],
});

/** A user that takes the group, and gives it back if it got it. */
function* claim_once(group: IommuGroup, owner: VfioGroup): Proc {
  yield idle();
  const ret = yield* iommu_group_claim_dma_owner(group, owner);
  observe("claim", ret);
  if (ret) return;
  yield;
  yield* iommu_group_release_dma_owner(group);
}

const { onReturn } = windows(linux);

/** A claim about every return of a procedure: its parameters, its result, and the state in which it returns. */
const nothingMoved = property({
  code: "MY1",
  sentence: "A claim that fails leaves every device of the group where it was.",
  source: "this file",
  seenRedBy: "--revert dcf40ed3a20d",
  window: onReturn<[IommuGroup, VfioGroup], Errno>("iommu_group_claim_dma_owner", ([group], ret) =>
    ret === 0 ? null : group.devices.every(({ dev }) => dev === null || dev.hw === group.domain),
  ),
});

/** Group 16 of a recorded machine: network cards behind a bridge, of which one is bound to its driver and unbound meanwhile. */
const scenario = ownershipScenario(intelQ35, {
  name: "my-change/claim",
  describes: "a user claims group 16 and gives it back, while 0000:05:01.0 is bound and unbound; one call may fail",
  iommu: "intel_iommu",
  vfio: [],
  unbound: ["0000:05:01.0", "0000:05:02.0"],
  without: [5],
  owners: 1,
  faults: 1,
  threads: (objects) => [
    thread("user", claim_once, objects.group(16), objects.owner(0)),
    thread("udev", rebind, objects.device("0000:05:01.0"), objects.driver("e1000")),
  ],
});

export const claim = suite({ name: "my-change/claim", design: myChange, scenario, properties: [nothingMoved, C1, O1] });
