/**
 * What drivers/iommu/iommu.c does for powerpc: probing, domains of a group, DMA ownership. In the form of 6.12.107, where without
 * iommu_ops (6.1.176) or without default domains (v6.4 to v6.6) it is not another.
 */
import {
  abstraction,
  applied,
  atomic,
  EBUSY,
  EINVAL,
  ENODEV,
  EPERM,
  type Errno,
  kref_get,
  list_add_tail,
  list_del,
  list_empty,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { iommu_domain_free, iommu_group_get, iommu_group_put } from "./group.js";
import { attach_dev, spapr_tce_iommu_ops } from "./iommu-ops.js";
import { type Device, type IommuDomain, type IommuGroup, iommu_core, ppc64, type TceContainer } from "./schema.js";

abstraction("the IOMMU core of v6.4 undoes a change of domain that fails as that of v6.5 does (dcf40ed3a20d)", "may miss a bug", ppc64);
abstraction("modules, PASIDs, deferred attaches and direct mappings are left out: powerpc has none", "neither", ppc64);

/** 6.1.176 line 947: no iommu_ops are asked. */
export function* iommu_group_add_device(group: IommuGroup, dev: Device): Proc<Errno> {
  kref_get(group.devices_kobj);
  yield;
  dev.iommu_group = group;
  yield* mutex_lock(group.mutex);
  list_add_tail(dev, group.devices);
  mutex_unlock(group.mutex);
  return 0;
}

/** 6.12.107 line 600, with __iommu_probe_device (line 513). */
export function* iommu_probe_device(dev: Device): Proc<Errno> {
  yield* mutex_lock(iommu_core.probe_device_lock);
  const ret = yield* __iommu_probe_device(dev);
  mutex_unlock(iommu_core.probe_device_lock);
  return ret;
}

function* __iommu_probe_device(dev: Device): Proc<Errno> {
  if (iommu_core.pci_ops === null) return -ENODEV;
  yield;
  if (dev.iommu_group !== null) return 0;
  yield;
  let ret = yield* iommu_init_device(dev);
  if (ret) return ret;
  yield;
  const group = dev.iommu_group!;
  yield;
  yield* mutex_lock(group.mutex);
  list_add_tail(dev, group.devices);
  WARN_ON(group.default_domain !== null && group.domain === null, "a default domain, and the group is on none");
  if (group.domain !== null) ret = yield* attach_dev(group.domain, dev);
  else if (group.default_domain === null) ret = yield* iommu_setup_default_domain(group, dev);
  if (ret) {
    list_del(dev, group.devices);
    iommu_deinit_device(dev, group);
  }
  mutex_unlock(group.mutex);
  yield;
  if (ret) iommu_group_put(group);
  return ret;
}

/** 6.12.107 line 402. The link is made in the sysfs directory of the IOMMU. */
function* iommu_init_device(dev: Device): Proc<Errno> {
  const iommu_dev = spapr_tce_iommu_ops.probe_device(dev);
  dev.iommu_dev = iommu_dev;
  yield;
  const directory = iommu_dev.dev;
  yield;
  directory!.devices.add(dev);
  yield;
  atomic("taking the group's reference, which the PE keeps alive");
  const group = spapr_tce_iommu_ops.device_group(dev);
  if (typeof group === "number") {
    directory!.devices.delete(dev);
    dev.iommu_dev = null;
    return group;
  }
  yield;
  dev.iommu_group = group;
  return 0;
}

/** 6.12.107 line 454, with group->mutex held. */
function iommu_deinit_device(dev: Device, group: IommuGroup): void {
  atomic("a device that is taken off its group");
  dev.iommu_dev!.dev!.devices.delete(dev);
  spapr_tce_iommu_ops.release_device(dev);
  if (list_empty(group.devices)) {
    for (const domain of [group.default_domain, group.blocking_domain]) if (domain !== null) iommu_domain_free(domain);
    group.default_domain = null;
    group.blocking_domain = null;
    group.domain = null;
  }
  dev.iommu_group = null;
  dev.iommu_dev = null;
}

/** 6.12.107 line 1246, with __iommu_group_remove_device (line 642). Before there were iommu_ops there is nothing of a driver to undo. */
export function* iommu_group_remove_device(dev: Device): Proc {
  const group = dev.iommu_group;
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  list_del(dev, group.devices);
  WARN_ON(
    list_empty(group.devices) && (group.owner_cnt > 0 || group.domain !== group.default_domain),
    "an empty group that is owned, or off its default domain",
  );
  if (dev.iommu_dev !== null) iommu_deinit_device(dev, group);
  else dev.iommu_group = null;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/** 6.12.107 line 2950. Since 2ad56efa80db (v6.7) the default domain is the platform's; before, there is none and the group stays on none. */
function* iommu_setup_default_domain(group: IommuGroup, dev: Device): Proc<Errno> {
  yield;
  const iommu_dev = dev.iommu_dev!;
  yield;
  const dom = iommu_dev.ops!.default_domain;
  if (dom === null) return 0;
  group.default_domain = dom;
  const ret = yield* __iommu_group_set_domain(group, dom, true);
  WARN_ON(ret !== 0, "the first attach of a default domain fails");
  return ret;
}

/** 6.12.107 line 114, with __iommu_group_set_domain_internal (line 2305). To none (v6.4 to v6.6) platform code takes over. */
function* __iommu_group_set_domain(group: IommuGroup, new_domain: IommuDomain | null, mustSucceed: boolean): Proc<Errno> {
  if (group.domain === new_domain) return 0;
  if (new_domain === null) {
    for (const dev of group.devices) yield* spapr_tce_iommu_ops.set_platform_dma_ops(dev);
    group.domain = null;
    return 0;
  }
  let result: Errno = 0;
  for (const dev of group.devices) {
    const ret = yield* attach_dev(new_domain, dev);
    if (!ret) continue;
    result = ret;
    if (mustSucceed) {
      if (group.blocking_domain !== null && group.blocking_domain !== new_domain) yield* attach_dev(group.blocking_domain, dev);
      continue;
    }
    yield* revert_up_to(group, dev);
    return ret;
  }
  group.domain = new_domain;
  return result;
}

/** The label err_revert of the same. */
function* revert_up_to(group: IommuGroup, last: Device): Proc {
  const old = group.domain;
  for (const dev of group.devices) {
    if (old !== null) {
      const ret = yield* attach_dev(old, dev);
      WARN_ON(ret !== 0, "the old domain cannot be attached again");
    }
    if (dev === last) break;
  }
}

/** 6.1.176 line 3174; since 2ad56efa80db the static domain. Without iommu_ops there is none to be had. */
function __iommu_group_alloc_blocking_domain(group: IommuGroup): Errno {
  if (group.blocking_domain !== null) return 0;
  atomic("iommu_ops do not change once they are registered");
  const ops = iommu_core.pci_ops;
  if (ops === null) return -EINVAL;
  group.blocking_domain = ops.blocked_domain ?? spapr_tce_iommu_ops.domain_alloc("BLOCKED");
  return group.blocking_domain === null ? -EINVAL : 0;
}

/** 6.1.176 line 3206; 6.12.107 line 3214, with __iommu_take_dma_ownership (line 3185). */
export function* iommu_group_claim_dma_owner(group: IommuGroup, owner: TceContainer): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  let ret: Errno = 0;
  if (group.owner_cnt > 0) ret = -EPERM;
  else if (group.domain !== null && group.domain !== group.default_domain) ret = -EBUSY;
  else {
    yield;
    ret = __iommu_group_alloc_blocking_domain(group);
    yield;
    if (!ret) ret = yield* __iommu_group_set_domain(group, group.blocking_domain, false);
    if (!ret) {
      group.owner = owner;
      group.owner_cnt++;
    }
  }
  mutex_unlock(group.mutex);
  return ret;
}

/** 6.12.107 line 3290, with __iommu_release_dma_ownership (line 3273). */
export function* iommu_group_release_dma_owner(group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.owner_cnt === 0 || group.owner === null, "release of a group nobody owns")) {
    group.owner_cnt = 0;
    group.owner = null;
    yield;
    const ret = yield* __iommu_group_set_domain(group, group.default_domain, true);
    WARN_ON(ret !== 0, "the driver refused the default domain");
  }
  mutex_unlock(group.mutex);
}

/** 6.1.176 line 3126. */
export function* iommu_device_use_default_domain(dev: Device): Proc<Errno> {
  if (!applied("70693f470848")) return 0;
  yield;
  const group = yield* iommu_group_get(dev);
  if (group === null) return 0;
  yield* mutex_lock(group.mutex);
  const isBusy = group.owner_cnt > 0 && (group.owner !== null || group.domain !== group.default_domain);
  if (!isBusy) group.owner_cnt++;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return isBusy ? -EBUSY : 0;
}

/** 6.1.176 line 3159. */
export function* iommu_device_unuse_default_domain(dev: Device): Proc {
  if (!applied("70693f470848")) return;
  yield;
  const group = yield* iommu_group_get(dev);
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.owner_cnt === 0, "unuse of a default domain nobody uses")) group.owner_cnt--;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}
