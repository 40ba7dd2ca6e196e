/**
 * What turns each property and each check red on the Linux model: mutants (edits of one model file), commit
 * switches, other scenarios, and bugs of the base. Nothing is believed that has not been seen red once.
 */

import type { Cause, Edit } from "./causes/cause.js";
import { causes as defaultDomain } from "./causes/default-domain.js";
import { causes as hotplug } from "./causes/hotplug.js";
import { causes as in2015 } from "./causes/in-2015.js";
import { causes as ioda2 } from "./causes/ioda2.js";
import { causes as opsSplit } from "./causes/ops-split.js";
import { causes as pasid } from "./causes/pasid.js";
import { causes as ppc64 } from "./causes/ppc64.js";
import { causes as ppc64Ops } from "./causes/ppc64-ops.js";
import { causes as probing } from "./causes/probing.js";
import { causes as requesters } from "./causes/requesters.js";
import { causes as translation } from "./causes/translation.js";
import { lockCauses, causes as userDma } from "./causes/user-dma.js";

export type { Cause, Edit };

const attach = "models/linux/iommu/attach.ts";
const ownership = "models/linux/iommu/ownership.ts";
const driverCore = "models/linux/driver-core/dd.ts";
const container = "models/linux/vfio/container.ts";
const vfio = "models/linux/vfio/vfio-main.ts";
const type1 = "models/linux/vfio/type1.ts";
const build = "models/linux/machine/build.ts";

const claimed = "--revert 0286300e6045 (driver without detach_dev)";
const attached = "--revert 2cc73c5712f9";
const baseUntilV65 = "the base, fixed by dcf40ed3a20d";
const firstOnly = "mutant: a change of domain takes the first device only";
const stopAfterFirst: Edit = {
  find: "    if (ret) return ret;\n    yield;\n  }\n  group.domain = new_domain;\n  return 0;\n",
  replace: "    if (ret) return ret;\n    yield;\n    break;\n  }\n  group.domain = new_domain;\n  return 0;\n",
};

const smmu = (scenario: string) => `ownership/smmuv3-virt/${scenario}`;
const intel = (scenario: string) => `ownership/intel-q35/${scenario}`;

const refuseOnlyUnowned: Edit = {
  find: "group.owner !== null || !iommu_is_default_domain(group)",
  replace: "group.owner === null && !iommu_is_default_domain(group)",
};

/** For each property, all that its `seenRedBy` names. */
export const propertyCauses: readonly Cause[] = [
  ...probing,
  ...hotplug,
  ...pasid,
  ...translation,
  ...requesters,
  ...defaultDomain,
  ...in2015,
  ...ppc64,
  ...ppc64Ops,
  ...userDma,
  ...ioda2,
  ...opsSplit,
  {
    name: "mutant: detach returns an owned group to its default domain",
    red: "K1",
    also: ["C4-detach", "O2"],
    suite: smmu("passthrough"),
    file: attach,
    edits: [{ find: "group.owner !== null ? group.blocking_domain : group.default_domain", replace: "group.default_domain" }],
  },
  { name: claimed, red: "K1", also: ["C1", "O2", "O5"], suite: smmu("passthrough"), revert: ["0286300e6045"] },
  {
    name: "mutant: iommu_device_use_default_domain() refuses only a group without an owner",
    red: "O1",
    suite: smmu("passthrough"),
    file: ownership,
    edits: [refuseOnlyUnowned],
  },
  {
    name: "mutant: iommu_device_use_default_domain() does not look at the domain",
    red: "O1",
    suite: intel("interface"),
    file: ownership,
    edits: [{ find: "(group.owner !== null || !iommu_is_default_domain(group) || hasPasids(group))", replace: "group.owner !== null" }],
  },
  {
    name: "mutant: a driver is told to stop after its count is given back",
    red: "O2",
    suite: intel("passthrough"),
    file: driverCore,
    edits: [
      {
        find: "  yield* device_remove(dev);\n  yield;\n  yield* dma_cleanup(dev);\n  yield;\n",
        replace: "  yield* dma_cleanup(dev);\n  yield;\n  yield* device_remove(dev);\n  yield;\n",
      },
    ],
  },
  { name: "--revert aae7a75a821a", red: "C3-container", suite: "vfio-container/mediated", revert: ["aae7a75a821a"] },
  { name: "the base (VFIO before it owned anything)", red: "O2-user", also: ["bug-on"], suite: "viability/bind-sibling" },
  {
    name: "the base (VFIO before a group had a lock)",
    red: "O2-open",
    also: ["V4", "bug-on", "lockdep", "null-deref", "use-after-free"],
    suite: "unowned/unset-against-open/linux-5.10",
  },
  { name: "the base (VFIO before a group had a lock)", red: "V4", also: ["leak"], suite: "unowned/two-containers/linux-5.10" },
  { name: claimed, red: "O2", also: ["C1", "K1", "O5"], suite: smmu("passthrough"), revert: ["0286300e6045"] },
  {
    name: "mutant: dma_cleanup() left out of the error path of really_probe()",
    red: "O3",
    asked: ["O3"],
    suite: intel("one-failure"),
    file: driverCore,
    edits: [
      {
        find: "  yield;\n  yield* dma_cleanup(dev);\n  yield;\n  yield* device_unbind_cleanup(dev);\n  return ret;\n",
        replace: "  yield;\n  yield* device_unbind_cleanup(dev);\n  return ret;\n",
      },
    ],
  },
  { name: claimed, red: "O5", also: ["C1", "K1", "O2"], suite: smmu("passthrough"), revert: ["0286300e6045"] },
  {
    name: "mutant: POWER's driver leaves a table group its window when it is taken",
    red: "O5",
    also: ["C1", "K1"],
    suite: "spapr-tce/failing-claim/linux-6.12",
    file: "models/linux/iommu-drivers/spapr-tce.ts",
    edits: [{ find: "  table_group.has_default_window = false;\n", replace: "" }],
  },
  {
    name: "mutant: the tests of owner_cnt and domain in iommu_group_claim_dma_owner() removed",
    red: "O6",
    also: ["O3"],
    suite: smmu("interface"),
    file: ownership,
    edits: [
      {
        find: "const ret = group.owner_cnt > 0 ? -EPERM : yield*",
        replace: "const ret = yield*",
      },
      {
        find: "  if ((group.domain !== null && group.domain !== group.default_domain) || hasPasids(group)) return -EBUSY;\n",
        replace: "",
      },
    ],
  },
  {
    name: "mutant: owner_cnt = 0 left out of iommu_group_release_dma_owner()",
    red: "O7",
    suite: smmu("passthrough"),
    file: ownership,
    edits: [{ find: "  group.owner_cnt = 0;\n", replace: "" }],
  },
  {
    name: "mutant: iommu_device_use_default_domain() refuses only a group without an owner",
    red: "O7",
    suite: smmu("passthrough"),
    asked: ["O7"],
    file: ownership,
    edits: [refuseOnlyUnowned],
  },
  { name: baseUntilV65, red: "C1", also: ["C3"], suite: "partial-attach/rmrr" },
  { name: attached, red: "C1", also: ["C3", "C3-attach"], suite: "partial-attach/fault/arm_smmu_v3", revert: ["2cc73c5712f9"] },
  { name: claimed, red: "C1", also: ["C3-attach"], suite: "partial-attach/fault/arm_smmu_v3", revert: ["0286300e6045"] },
  { name: baseUntilV65, red: "C3", also: ["C1"], suite: "partial-attach/rmrr" },
  {
    name: "mutant: __iommu_group_set_domain() says what it is about to do",
    red: "C3",
    also: ["C1"],
    suite: "partial-attach/rmrr",
    file: attach,
    edits: [
      {
        find: "  for (const device of group.devices) {\n    const ret = yield* __iommu_attach_device(new_domain, device.dev!);\n    if (ret) return ret;\n",
        replace:
          "  group.domain = new_domain;\n  for (const device of group.devices) {\n    const ret = yield* __iommu_attach_device(new_domain, device.dev!);\n    if (ret) return ret;\n",
      },
    ],
  },
  {
    name: attached,
    red: "C3-attach",
    also: ["C1", "C3"],
    suite: "partial-attach/fault/arm_smmu_v3",
    revert: ["2cc73c5712f9"],
  },
  {
    name: "mutant: __iommu_attach_group() says that it is done when it is not",
    red: "C3-attach",
    suite: "partial-attach/fault/arm_smmu_v3",
    asked: ["C3-attach"],
    file: attach,
    edits: [{ find: "  if (ret === 0) {\n    group.domain = domain;\n  }", replace: "  group.domain = domain;\n  if (ret === 0) {\n  }" }],
  },
  {
    name: "the base (a group without a default domain under the driver that has no detach_dev)",
    red: "C4",
    also: ["warn-on"],
    suite: "vfio-close/no-default-domain/arm_smmu_v3",
  },
  {
    name: "mutant: iommu_group_release_dma_owner() leaves the group where it is",
    red: "C4",
    also: ["C1", "C3"],
    suite: smmu("one-failure"),
    file: ownership,
    edits: [{ find: "yield* __iommu_group_set_domain(group, group.default_domain);\n    WARN_ON(ret", replace: "0;\n    WARN_ON(ret" }],
  },
  {
    name: firstOnly,
    red: "C4",
    suite: "partial-attach/fault/arm_smmu_v3",
    asked: ["C4"],
    file: attach,
    edits: [stopAfterFirst],
  },
  { name: claimed, red: "C4-detach", suite: "vfio-detach/arm_smmu_v3", revert: ["0286300e6045"] },
  {
    name: firstOnly,
    red: "C4-detach",
    suite: "partial-attach/fault/arm_smmu_v3",
    asked: ["C4-detach"],
    file: attach,
    edits: [stopAfterFirst],
  },
  {
    name: "mutant: a default domain made with another driver's ops",
    red: "C5",
    suite: intel("passthrough"),
    file: build,
    edits: [
      {
        find: "{ kind, iommu_ops: isRegistered ? ops : null, has_iommu_notifier: isRegistered }",
        replace: '{ kind, iommu_ops: isRegistered ? make("iommu_ops", "other", { driver: options.iommu }) : null }',
      },
    ],
  },
  {
    name: "mutant: iommu_attach_device() does not count the devices",
    red: "C10",
    suite: "own-domain/several-devices",
    asked: ["C10"],
    file: attach,
    edits: [{ find: "  if (list_is_singular(group.devices)) ret =", replace: "  ret =" }],
  },
  {
    name: "mutant: the -EBUSY test of __iommu_attach_group() removed",
    red: "C11",
    suite: intel("interface"),
    file: attach,
    edits: [
      {
        find: "  if (isInUse(group)) return -EBUSY;\n",
        replace: "",
      },
    ],
  },
  { name: claimed, red: "L2", suite: "vfio-close/arm_smmu_v3", revert: ["0286300e6045"] },
  { name: attached, red: "L2", suite: "partial-attach/fault/arm_smmu_v3", asked: ["L2"], revert: ["2cc73c5712f9"] },
  {
    name: "mutant: type1 frees a domain without detaching the group",
    red: "L2",
    suite: "vfio-close/intel_iommu",
    file: type1,
    edits: [{ find: "    yield* iommu_detach_group(domain.domain!, iommu_group);\n", replace: "" }],
  },
  {
    name: "mutant: a change of domain frees the domain it leaves",
    red: "L2",
    suite: "vfio-close/intel_iommu",
    file: attach,
    edits: [
      {
        find: "    if (ret) return ret;\n    yield;\n  }\n  group.domain = new_domain;\n",
        replace: "    if (ret) return ret;\n    yield;\n  }\n  iommu_domain_free(group.domain!);\n  group.domain = new_domain;\n",
      },
    ],
  },
  {
    name: "mutant: a second iommu_group_put() in iommu_device_use_default_domain()",
    red: "L3",
    suite: smmu("passthrough"),
    file: ownership,
    edits: [
      {
        find: "  iommu_group_put(group);\n  return ret;\n}\n\n/** 6.1.176 line 3159",
        replace: "  iommu_group_put(group);\n  iommu_group_put(group);\n  return ret;\n}\n\n/** 6.1.176 line 3159",
      },
    ],
  },
  {
    name: "mutant: iommu_group_put() left out of the -EBUSY path of iommu_device_use_default_domain()",
    red: "R1",
    suite: smmu("passthrough"),
    file: ownership,
    edits: [
      {
        find: "  iommu_group_put(group);\n  return ret;\n}\n\n/** 6.1.176 line 3159",
        replace: "  if (ret === 0) iommu_group_put(group);\n  return ret;\n}\n\n/** 6.1.176 line 3159",
      },
    ],
  },
  { name: "the base (two devices bound to vfio-pci at once)", red: "R1", also: ["warn-on"], suite: "vfio-group/two-binds" },
  { name: "a scenario without a VFIO user", red: "W1", suite: smmu("passthrough"), withoutThreads: ["qemu"] },
  { name: "a scenario without traffic", red: "W2", suite: intel("group16"), withoutThreads: ["net0", "net1", "udev1"] },
];

/** The checks that are always on. */
export const checkCauses: readonly Cause[] = [
  ...lockCauses,
  {
    name: "SET_IOMMU takes each group's group_lock inside the container's",
    red: "lockdep",
    suite: "vfio-close/arm_smmu_v3",
    file: container,
    edits: [
      {
        find: "    ret = yield* vfio_iommu_type1_attach_group(data, iommu_group_of(group));\n",
        replace:
          "    yield* mutex_lock(group.group_lock);\n    ret = yield* vfio_iommu_type1_attach_group(data, iommu_group_of(group));\n    mutex_unlock(group.group_lock);\n",
      },
    ],
  },
  {
    name: "iommu_group_claim_dma_owner() returns -EPERM with the mutex held",
    red: "lockdep",
    suite: smmu("passthrough"),
    file: ownership,
    edits: [
      {
        find: "  const ret = group.owner_cnt > 0 ? -EPERM : yield*",
        replace: "  if (group.owner_cnt > 0) return -EPERM;\n  const ret = yield*",
      },
    ],
  },
  {
    name: "vfio_group_detach_container() drops the container before it unlocks it",
    red: "lockdep",
    suite: smmu("passthrough"),
    file: container,
    edits: [
      {
        find: "  mutex_unlock(container.group_lock);\n  yield;\n  vfio_container_put(container);\n",
        replace: "  vfio_container_put(container);\n  mutex_unlock(container.group_lock);\n",
      },
    ],
  },
  {
    name: "detach frees the vfio_domain before what it points to",
    red: "use-after-free",
    suite: "vfio-close/arm_smmu_v3",
    file: type1,
    edits: [
      {
        find: "      iommu_domain_free(domain.domain!);\n      list_del(domain, iommu.domain_list);\n      kfree(domain);\n",
        replace: "      list_del(domain, iommu.domain_list);\n      kfree(domain);\n      iommu_domain_free(domain.domain!);\n",
      },
    ],
  },
  {
    name: "detach frees the vfio_domain, and then again",
    red: "double-free",
    suite: "vfio-close/arm_smmu_v3",
    file: type1,
    edits: [
      {
        find: "      list_del(domain, iommu.domain_list);\n      kfree(domain);\n",
        replace: "      list_del(domain, iommu.domain_list);\n      kfree(domain);\n      kfree(domain);\n",
      },
    ],
  },
  {
    name: "closing a device drops the group's file twice",
    red: "refcount",
    suite: smmu("passthrough"),
    file: container,
    edits: [
      { find: "  const isLast = kref_put(group.file);\n", replace: "  kref_put(group.file);\n  const isLast = kref_put(group.file);\n" },
    ],
  },
  {
    name: "UNSET_CONTAINER does not ask whether there is a container",
    red: "null-deref",
    also: ["warn-on"],
    suite: smmu("passthrough"),
    file: vfio,
    edits: [
      {
        find: "  if (group.container === null) ret = -EINVAL;\n  else if (group.container_users !== 1)",
        replace: "  if (group.container_users > 1)",
      },
    ],
  },
  {
    name: "unregistering a device keeps its own reference",
    red: "stuck",
    suite: "vfio-container/unbind-while-mapping",
    file: vfio,
    edits: [{ find: "  kref_put(device.refcount);\n  yield until", replace: "  yield until" }],
  },
  {
    name: "UNSET_CONTAINER looks at the container before it takes the lock",
    red: "guarded-by",
    suite: smmu("passthrough"),
    file: vfio,
    edits: [
      {
        find: "  yield* mutex_lock(group.group_lock);\n  if (group.container === null) ret = -EINVAL;\n",
        replace:
          "  if (group.container === null) return -EINVAL;\n  yield* mutex_lock(group.group_lock);\n  if (group.container === null) ret = -EINVAL;\n",
      },
    ],
  },
  {
    name: "an ioctl reads iommu_driver and iommu_data in one step",
    red: "atomicity",
    also: ["null-deref", "use-after-free"],
    suite: "vfio-container/two-threads",
    file: container,
    edits: [
      {
        find: "  if (!driver) return -EINVAL;\n  yield;\n",
        replace: "  if (!driver) return -EINVAL;\n",
      },
    ],
  },
  {
    name: "a group's ownership is released twice",
    red: "warn-on",
    suite: "vfio-close/arm_smmu_v3",
    file: container,
    edits: [
      {
        find: "    yield;\n  }\n  group.container = null;\n",
        replace: "    yield;\n    yield* iommu_group_release_dma_owner(group.iommu_group!);\n    yield;\n  }\n  group.container = null;\n",
      },
    ],
  },
  {
    name: "a group is put on its container's list twice",
    red: "bug-on",
    suite: "vfio-close/arm_smmu_v3",
    file: container,
    edits: [
      {
        find: "    list_add(group, container.group_list);\n",
        replace: "    list_add(group, container.group_list);\n    list_add(group, container.group_list);\n",
      },
    ],
  },
  {
    name: "detach forgets the domain",
    red: "leak",
    also: ["C1", "C3"],
    suite: intel("one-failure"),
    file: type1,
    edits: [{ find: "      iommu_domain_free(domain.domain!);\n      list_del", replace: "      list_del" }],
  },
];
