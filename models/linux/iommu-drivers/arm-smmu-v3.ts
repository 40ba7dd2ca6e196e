/** drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c of 6.1.176. Has no `detach_dev`; finds a device's IOMMU by its fwspec. */
import { abstraction, applied, atomic, EBUSY, EINVAL, ENODEV, ENOMEM, type Errno, fault, kfree, type Proc, WARN_ON } from "iommu-mc";
import {
  type DevIommuPriv,
  type Device,
  type DomainType,
  type IommuDevice,
  type IommuDomain,
  type IommuOps,
  iommu_core,
} from "../schema.js";
import type { Driver } from "./driver.js";
import {
  alloc_domain,
  alloc_priv,
  bus_find_device_by_fwnode,
  dev_iommu_fwspec_get,
  dev_iommu_priv_get,
  driver_find_device_by_fwnode,
  free_priv,
  privOf,
  put_on_domain,
  take_off_domain,
} from "./hardware.js";
import { all_go_stale, allocate_id, flush_id, free_id } from "./iotlb.js";
import { flush_asid, put_pages_list } from "./page-table.js";

abstraction("an SMMU's device never uses SVA, for which an attach is refused before anything is done", "may miss a bug");

/** Line 2055. */
function arm_smmu_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED" || fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 2685. An SMMU that is only registering is not found before 7d835134d4e1 (v6.15): its walk of the buses finds nothing behind it. */
function* arm_smmu_probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec === null) return -ENODEV;
  yield;
  if (fwspec.ops !== ops) return -ENODEV;
  yield;
  const known = yield* dev_iommu_priv_get(dev);
  if (WARN_ON(known !== null, "a device that is probed already")) return -EBUSY;
  yield;
  const smmu = applied("7d835134d4e1") ? bus_find_device_by_fwnode(dev) : driver_find_device_by_fwnode(dev);
  if (smmu === null) return -ENODEV;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return smmu;
}

/** Line 2745. Leaves its pointer to what it has freed, in a structure that the core frees next. */
function* arm_smmu_release_device(dev: Device): Proc {
  const master = (yield* dev_iommu_priv_get(dev))!;
  yield;
  atomic("taking one device off its domain is one step");
  arm_smmu_detach_dev(dev, master);
  yield;
  yield* free_priv(dev, master);
}

/** Line 2870: a tracing device of HiSilicon's cannot do with anything else. */
function arm_smmu_def_domain_type(_ops: IommuOps, dev: Device): DomainType | null {
  return dev.needs_identity ? "IDENTITY" : null;
}

/**
 * Line 2443. Takes the device off its old domain (`arm_smmu_detach_dev`) before the new one is completed for the SMMU
 * (`arm_smmu_domain_finalise`) or found to be another SMMU's, so that a failure leaves it on nothing.
 */
function arm_smmu_attach_dev(domain: IommuDomain, dev: Device): Errno {
  const master = privOf(dev);
  arm_smmu_detach_dev(dev, master);
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -EINVAL;
  const ret = arm_smmu_domain_finalise(domain);
  if (ret) return ret;
  put_on_domain(domain, dev, master);
  return 0;
}

/** Line 2424. */
function arm_smmu_detach_dev(dev: Device, master: DevIommuPriv): void {
  if (master.domain !== null) take_off_domain(dev, master);
}

/** Line 2211: at its first attach a domain gets its page table, and an ASID, which it keeps until it is freed. */
function arm_smmu_domain_finalise(domain: IommuDomain): Errno {
  if (!iommu_core.has_iotlb || domain.type === "IDENTITY" || domain.asid !== null) return 0;
  const asid = allocate_id(domain);
  if (typeof asid === "number") return asid;
  domain.asid = asid;
  return 0;
}

/** Line 2100, whether or not a device is on the domain. free_io_pgtable_ops() flushes the ASID before it frees the page table; then the ASID is free too. */
function arm_smmu_domain_free(domain: IommuDomain): void {
  const asid = domain.asid;
  if (asid !== null) {
    all_go_stale(domain, asid);
    flush_id(asid);
    put_pages_list(domain.table);
    free_id(asid);
  }
  kfree(domain);
}

/** Line 2882. */
export const arm_smmu_ops: Driver = {
  domain_alloc: arm_smmu_domain_alloc,
  probe_device: arm_smmu_probe_device,
  release_device: arm_smmu_release_device,
  def_domain_type: arm_smmu_def_domain_type,
  attach_dev: arm_smmu_attach_dev,
  flush_iotlb_all: flush_asid,
  free: arm_smmu_domain_free,
};
