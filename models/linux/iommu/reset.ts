/**
 * PCI resets in drivers/iommu/iommu.c: while a device is being reset it is on the blocking domain, whatever its group is on. From
 * v7.0, as c279e83953d9 has it, to 7.2.13; of the fixes between, the patches that v7.0's stable series took were read.
 */
import { abstraction, applied, atomic, EBUSY, ENODEV, type Errno, mutex_lock, mutex_unlock, type Proc, WARN_ON } from "iommu-mc";
import { set_dev_pasid } from "../iommu-drivers/index.js";
import type { Device, GroupDevice, IommuGroup } from "../schema.js";
import { __dev_to_gdev, __iommu_attach_device } from "./attach.js";
import { __iommu_group_alloc_blocking_domain } from "./ownership.js";
import { __iommu_set_group_pasid, iommu_remove_dev_pasid } from "./pasid.js";

abstraction("every device has ATS, without which these functions do nothing", "neither");
abstraction("the warning that a DMA alias of a device is still being reset (group_device_dma_alias_is_blocked) is left out", "neither");

/** 7.2.13 line 433. */
function* dev_has_iommu(dev: Device): Proc<boolean> {
  const param = dev.iommu;
  if (param === null) return false;
  yield;
  return param.iommu_dev !== null;
}

/** 7.2.13 line 4034. The group is looked up before anything is asked or locked. */
export function* pci_dev_reset_iommu_prepare(dev: Device): Proc<Errno> {
  const group = dev.iommu_group;
  yield;
  if (!(yield* dev_has_iommu(dev))) return 0;
  yield* mutex_lock(group!.mutex);
  const ret = yield* block_device(group!, dev);
  if (ret === 0) dev.resets++;
  mutex_unlock(group!.mutex);
  return ret;
}

/**
 * The critical section. Before b296ca1fb43a the group said that one of its devices was being reset, and not which; before
 * 0d5fd7a9323c a reset within a reset of the same device was an error.
 */
function* block_device(group: IommuGroup, dev: Device): Proc<Errno> {
  const gdev = __dev_to_gdev(group, dev);
  if (applied("b296ca1fb43a") && WARN_ON(gdev === null, "a reset of a device that is not on its group's list")) return -ENODEV;
  if (applied("0d5fd7a9323c")) {
    gdev!.reset_depth++;
    if (gdev!.reset_depth > 1) return 0;
  } else if (WARN_ON(isBlocked(group, gdev), "a reset begins while one is under way")) return -EBUSY;
  let ret = alloc_blocking_domain(group);
  yield;
  if (ret === 0 && group.domain !== group.blocking_domain) ret = yield* __iommu_attach_device(group.blocking_domain!, dev);
  if (ret) {
    if (applied("0d5fd7a9323c")) gdev!.reset_depth--;
    return ret;
  }
  if (applied("b296ca1fb43a")) gdev!.blocked = true;
  yield;
  if (group.pasid_entry === "present" && (!applied("1615e8896a8f") || dev.max_pasids > 0)) {
    yield* iommu_remove_dev_pasid(dev, group.pasid_domain!);
  }
  if (applied("b296ca1fb43a")) group.recovery_cnt++;
  else group.resetting_domain = group.blocking_domain;
  return 0;
}

function alloc_blocking_domain(group: IommuGroup): Errno {
  atomic("allocating a group's blocking domain is one step");
  return __iommu_group_alloc_blocking_domain(group);
}

function isBlocked(group: IommuGroup, gdev: GroupDevice | null): boolean {
  return applied("b296ca1fb43a") ? gdev!.blocked : group.resetting_domain !== null;
}

/** 7.2.13 line 4146. */
export function* pci_dev_reset_iommu_done(dev: Device): Proc {
  const group = dev.iommu_group;
  yield;
  if (!(yield* dev_has_iommu(dev))) return;
  yield* mutex_lock(group!.mutex);
  dev.resets--;
  yield* unblock_device(group!, dev);
  mutex_unlock(group!.mutex);
}

/**
 * The critical section. Before d769711fcddd a group without a domain was not thought of; before 1615e8896a8f the PASIDs of all
 * devices of the group were attached again.
 */
function* unblock_device(group: IommuGroup, dev: Device): Proc {
  const gdev = __dev_to_gdev(group, dev);
  if (applied("b296ca1fb43a") && WARN_ON(gdev === null, "a reset ends of a device that is not on its group's list")) return;
  if (applied("0d5fd7a9323c")) {
    if (WARN_ON(gdev!.reset_depth === 0, "a reset ends that did not begin")) return;
    gdev!.reset_depth--;
    if (gdev!.reset_depth > 0) return;
  } else if (!isBlocked(group, gdev)) return;
  if (WARN_ON(group.blocking_domain === null, "a reset ends that has allocated no blocking domain")) return;
  yield;
  const hasDomain = !applied("d769711fcddd") || group.domain !== null;
  if (hasDomain && group.domain !== group.blocking_domain) {
    const ret = yield* __iommu_attach_device(group.domain!, dev);
    WARN_ON(ret !== 0, "the driver refused the domain the device was on before its reset");
  }
  if (applied("b296ca1fb43a")) gdev!.blocked = false;
  yield;
  yield* attach_pasids_again(group, dev);
  if (!applied("b296ca1fb43a")) group.resetting_domain = null;
  else if (!WARN_ON(group.recovery_cnt === 0, "more resets end than began")) group.recovery_cnt--;
}

function* attach_pasids_again(group: IommuGroup, dev: Device): Proc {
  if (group.pasid_entry !== "present") return;
  if (applied("1615e8896a8f") && dev.max_pasids === 0) return;
  const domain = group.pasid_domain!;
  const ret = applied("1615e8896a8f")
    ? yield* set_dev_pasid(domain, dev, group.blocking_domain)
    : yield* __iommu_set_group_pasid(domain, group, group.blocking_domain);
  WARN_ON(ret !== 0, "the driver refused the domain the PASID was on before the reset");
}
