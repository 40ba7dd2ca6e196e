/** drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c of 6.1.176. Has no `detach_dev`; finds a device's IOMMU by its fwspec. */
import { abstraction, atomic, choose, EBUSY, EINVAL, ENODEV, ENOMEM, type Errno, fault, kfree, type Proc, WARN_ON } from "iommu-mc";
import { type DevIommuPriv, type Device, type IommuDevice, type IommuDomain, type IommuOps, iommu_core } from "../schema.js";
import { alloc_priv, dev_iommu_priv_get, free_priv, privOf, put_on_domain, take_off_domain } from "./hardware.js";
import { all_go_stale, allocate_id, flush_id, free_id } from "./iotlb.js";
import { put_pages_list } from "./page-table.js";

abstraction("an SMMU attach that fails may leave the old domain, as only the refusal for SVA really does", "may cry wolf");

/** Line 2685. The SMMU's driver is bound when its devices are probed, or is just registering the SMMU. */
export function* arm_smmu_probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const param = dev.iommu!;
  yield;
  const fwspec = param.fwspec;
  if (fwspec === null) return -ENODEV;
  yield;
  if (fwspec.ops !== ops) return -ENODEV;
  yield;
  const known = yield* dev_iommu_priv_get(dev);
  if (WARN_ON(known !== null, "a device that is probed already")) return -EBUSY;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return dev.iommus!;
}

/** Line 2745. Leaves its pointer to what it has freed, in a structure that the core frees next. */
export function* arm_smmu_release_device(dev: Device): Proc {
  const master = (yield* dev_iommu_priv_get(dev))!;
  yield;
  atomic("taking one device off its domain is one step");
  arm_smmu_detach_dev(dev, master);
  yield;
  yield* free_priv(dev, master);
}

/** Line 2433. Takes the device off its old domain (`arm_smmu_detach_dev`) before anything can fail but the test for SVA. */
export function arm_smmu_attach_dev(domain: IommuDomain, dev: Device): Errno {
  const master = privOf(dev);
  if (fault("attach_dev", !domain.attached_before.has(dev))) {
    if (choose("a failed attach leaves the device on", ["its old domain", "nothing"]) === "nothing") arm_smmu_detach_dev(dev, master);
    return -EINVAL;
  }
  arm_smmu_detach_dev(dev, master);
  const ret = arm_smmu_domain_finalise(domain);
  if (ret) return ret;
  put_on_domain(domain, dev, master);
  return 0;
}

/** Line 2400. */
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

/** Line 2100. free_io_pgtable_ops() flushes the ASID before it frees the page table; then the ASID is free too. */
export function arm_smmu_domain_free(domain: IommuDomain): void {
  const asid = domain.asid;
  if (asid !== null) {
    all_go_stale(domain, asid);
    flush_id(asid);
    put_pages_list(domain.table);
    free_id(asid);
  }
  kfree(domain);
}
