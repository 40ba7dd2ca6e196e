/**
 * The DMA API of Intel's driver, intel/iommu.c of 5.10.223, which had its own until c588072bba6b (v5.11): it maps into the domain that
 * the device is on, whosever that is, and looks after a deferred attach itself.
 */
import { abstraction, applied, atomic, data_race, type Proc } from "iommu-mc";
import { attach_dev_unlocked, opsOf } from "../iommu-drivers/index.js";
import type { Device, IommuDomain } from "../schema.js";
import { iommu_get_domain_for_dev } from "./attach.js";

abstraction(
  "where pages are modelled, the DMA API that Intel's driver had of its own until v5.11 is taken for dma-iommu's",
  "may miss a bug",
);

/** Whether the device's DMA ops are `intel_dma_ops`. */
export function has_intel_dma_ops(dev: Device): boolean {
  if (applied("c588072bba6b")) return false;
  atomic("the DMA ops of a device are one pointer, which says whose they are");
  return opsOf(dev).driver === "intel_iommu";
}

/** 5.10.223 line 3578, as __intel_map_single() begins: the domain to map into; null is DMA_MAPPING_ERROR. */
export function* intel_map_domain(dev: Device): Proc<IommuDomain | null> {
  if (attach_deferred(dev)) {
    yield;
    yield* do_deferred_attach(dev);
  }
  yield;
  return find_domain(dev);
}

/** 5.10.223 line 824. */
function attach_deferred(dev: Device): boolean {
  atomic("dev->iommu->priv of a device that has a driver is one pointer");
  return dev.iommu!.priv!.attach_deferred;
}

/**
 * 5.10.223 line 2629. The attach counts as done before it is tried, and nobody looks at what becomes of it. Who comes second forgets what
 * the first has attached.
 */
function* do_deferred_attach(dev: Device): Proc {
  atomic("dev->iommu->priv of a device that has a driver is one pointer");
  const info = dev.iommu!.priv!;
  info.attach_deferred = false;
  info.domain = null;
  yield;
  const domain = yield* iommu_get_domain_for_dev(dev);
  yield;
  if (domain !== null) yield* attach_dev_unlocked(domain, dev);
}

/** 5.10.223 line 2611. */
function find_domain(dev: Device): IommuDomain | null {
  atomic("what the driver knows of a device is published as a whole");
  const { domain } = dev.iommu!.priv!;
  return data_race(() => dev.hw) === domain ? domain : null;
}
