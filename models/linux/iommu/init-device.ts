/** What a device is to its IOMMU's driver, since v6.6: iommu_init_device() and iommu_deinit_device() of drivers/iommu/iommu.c. */
import {
  abstraction,
  applied,
  data_race,
  ENODEV,
  ENOMEM,
  type Errno,
  list_empty,
  lockdep_assert_held,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { dma_configure } from "../driver-core/bus.js";
import {
  attach_dev,
  dev_iommu_ops,
  is_attach_deferred,
  is_attach_deferred_now,
  probe_device,
  release_device,
} from "../iommu-drivers/index.js";
import { type Device, type IommuDomain, type IommuGroup, type IommuOps, iommu_core } from "../schema.js";
import { iommu_domain_free } from "./attach.js";
import { iommu_fwspec_ops } from "./firmware.js";
import { device_group } from "./group.js";
import { dev_iommu_free, dev_iommu_get } from "./probe.js";

abstraction(
  "of what lies between 6.1 and 6.6, and 6.6 and 6.12, there are no sources here: v6.6 has the form of 6.12.107 without what is known to have come later",
  "neither",
);

/** 6.12.107 line 407, 7.2.13 line 469. Since bcb81ac6ae3c (v6.15) the firmware's tables are looked at here. */
export function* iommu_init_device(dev: Device, bus_ops: IommuOps | null): Proc<Errno> {
  if ((yield* dev_iommu_get(dev)) === null) return -ENOMEM;
  yield;
  let ops = bus_ops;
  if (applied("bcb81ac6ae3c")) {
    if (!(yield* parse_firmware(dev))) return -ENODEV;
    yield;
    const param = dev.iommu!;
    yield;
    const { fwspec } = param;
    yield;
    ops = yield* iommu_fwspec_ops(dev, fwspec);
  }
  if (ops === null) {
    yield;
    yield* dev_iommu_free(dev);
    return -ENODEV;
  }
  yield;
  const iommu_dev = yield* probe_device(ops, dev);
  yield;
  if (typeof iommu_dev === "number") {
    yield* forget_iommu(dev);
    return iommu_dev;
  }
  const param = dev.iommu!;
  yield;
  param.iommu_dev = iommu_dev;
  yield;
  const group = yield* device_group(dev);
  yield;
  if (typeof group === "number") {
    yield* release_device(dev);
    yield;
    yield* forget_iommu(dev);
    return group;
  }
  dev.iommu_group = group;
  if (iommu_core.is_kdump_kernel) {
    yield;
    param.attach_deferred = is_attach_deferred_now(dev);
  }
  return 0;
}

/** The label err_free. */
function* forget_iommu(dev: Device): Proc {
  const param = dev.iommu!;
  yield;
  param.iommu_dev = null;
  yield;
  yield* dev_iommu_free(dev);
}

/**
 * Calls the bus's `dma_configure` for a device without a driver, which takes the probe lock itself. Who comes meanwhile may probe the
 * device too, or give it up; 0c8e9c148e29 (v6.16) asks for that, and leaves alone a device whose tables were looked at before. False if
 * there is nothing left to do.
 */
function* parse_firmware(dev: Device): Proc<boolean> {
  if (applied("0c8e9c148e29")) {
    const param = dev.iommu!;
    yield;
    const hasFwspec = param.fwspec !== null;
    if (hasFwspec) return true;
    yield;
  }
  const isUnbound = data_race(() => dev.driver === null);
  if (!isUnbound) return true;
  mutex_unlock(iommu_core.probe_device_lock);
  yield;
  yield* dma_configure(dev);
  yield* mutex_lock(iommu_core.probe_device_lock);
  if (!applied("0c8e9c148e29")) return true;
  const isGivenUp = dev.iommu === null;
  if (isGivenUp) return false;
  yield;
  return dev.iommu_group === null;
}

/**
 * 6.12.107 line 468, 7.2.13 line 549. The group's mutex is held. The last device of a group takes its domains with it, since it has the
 * reference on the driver's module.
 */
export function* iommu_deinit_device(dev: Device, group: IommuGroup): Proc {
  lockdep_assert_held(group.mutex);
  const ops = yield* dev_iommu_ops(dev);
  yield;
  const domain = applied("0061ffe289e1") && !is_attach_deferred(dev) ? release_domain_of(ops, dev) : null;
  if (domain !== null) {
    yield* attach_dev(domain, dev);
    yield;
  }
  yield* release_device(dev);
  yield;
  if (list_empty(group.devices)) {
    for (const each of [group.default_domain, group.blocking_domain]) if (each !== null) iommu_domain_free(each);
    group.default_domain = null;
    group.blocking_domain = null;
    group.domain = null;
    yield;
  }
  dev.iommu_group = null;
  yield;
  yield* dev_iommu_free(dev);
  if (!applied("280e5a301005")) return;
  yield;
  dev.has_iommu_dma_ops = false;
}

/** What the hardware is left with. Since e94160488e65 (v6.19) not the blocking domain where firmware does DMA, if there is another. */
function release_domain_of(ops: IommuOps, dev: Device): IommuDomain | null {
  const { release_domain } = ops;
  const isAsked = release_domain !== null && dev.resv_direct && applied("e94160488e65");
  return isAsked && dev.iommu!.require_direct && ops.si_domain !== null ? ops.si_domain : release_domain;
}
