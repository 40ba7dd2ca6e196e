/** `spapr_tce_iommu_ops` of arch/powerpc/kernel/iommu.c: since a940904443e4 (v6.4). */
import { abstraction, applied, ENODEV, type Errno, fault, kzalloc, operations, type Proc } from "iommu-mc";
import { iommu_group_get, iommu_group_put, iommu_group_ref_get } from "./group.js";
import {
  type Device,
  type IommuDevice,
  type IommuDomain,
  type IommuGroup,
  type IommuOps,
  iommu_core,
  type PciController,
  ppc64,
} from "./schema.js";
import { release_ownership, take_ownership } from "./table-group.js";

abstraction("devices are PCI devices, and each PHB has a device_group()", "may miss a bug", ppc64);

/** Registers a PHB's IOMMU. 6.12.107 line 1284; before a5c57fd2e9bd (v6.8) it stood in the initcall. The walk over devices on the bus has none to probe: they come later. */
export function ppc_iommu_register_device(phb: PciController, ops: IommuOps): void {
  const iommu = phb.iommu!;
  iommu.dev = kzalloc(ppc64, "class_device");
  iommu.ops = ops;
  iommu_core.pci_ops = ops;
}

/** 6.12.107 line 1217. */
function spapr_tce_iommu_capable(_dev: Device, cap: "CACHE_COHERENCY"): boolean {
  return cap === "CACHE_COHERENCY";
}

/** a940904443e4: a domain for BLOCKED, which has no free(), and for no other type. */
function spapr_tce_iommu_domain_alloc(type: IommuDomain["type"]): IommuDomain | null {
  if (type !== "BLOCKED" || fault("kzalloc(iommu_domain)")) return null;
  return kzalloc(ppc64, "iommu_domain");
}

/** 6.12.107 line 1229: whether or not it has been registered. */
function spapr_tce_iommu_probe_device(dev: Device): IommuDevice {
  return dev.phb!.iommu!;
}

/** 6.12.107 line 1243. */
function spapr_tce_iommu_release_device(_dev: Device): void {}

/** 6.12.107 line 1247 and pnv_pci_device_group(), pSeries_pci_device_group(): with a reference for the caller. */
function spapr_tce_iommu_device_group(dev: Device): IommuGroup | Errno {
  const pe = dev.pe;
  if (pe === null || pe.group === null) return -ENODEV;
  return iommu_group_ref_get(pe.group);
}

/** `domain->ops->attach_dev`. With group->mutex held. */
export function* attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  const isBlocking = !applied("2ad56efa80db") || (applied("d2d00e15808c") && domain.type === "BLOCKED");
  return yield* (isBlocking ? blocking_domain_ops : platform_domain_ops).attach_dev(domain, dev);
}

/** a940904443e4; since d2d00e15808c again, as spapr_tce_blocked_iommu_attach_dev (6.12.107 line 1190). */
function* spapr_tce_blocking_iommu_attach_dev(_domain: IommuDomain, dev: Device): Proc<Errno> {
  yield;
  const grp = (yield* iommu_group_get(dev))!;
  yield;
  const ret = yield* take_ownership(grp.iommu_data!, dev);
  yield;
  iommu_group_put(grp);
  return ret;
}

/**
 * 2ad56efa80db (v6.7): of both domains, and it takes ownership. a8ca9fc9134c: but not at the first attach, where 0846dd77c834
 * (v6.8) gives the reference back. d2d00e15808c (v6.8; 6.12.107 line 1157): of the platform domain only, and it releases it.
 */
function* spapr_tce_platform_iommu_attach_dev(_domain: IommuDomain, dev: Device): Proc<Errno> {
  yield;
  const group = dev.iommu_group!;
  yield;
  const isFirst = group.domain === null;
  yield;
  const grp = (yield* iommu_group_get(dev))!;
  yield;
  if (applied("a8ca9fc9134c") && isFirst) {
    if (applied("0846dd77c834")) iommu_group_put(grp);
    return 0;
  }
  let ret: Errno = 0;
  if (applied("d2d00e15808c")) yield* release_ownership(grp.iommu_data!, dev);
  else ret = yield* take_ownership(grp.iommu_data!, dev);
  yield;
  iommu_group_put(grp);
  return ret;
}

/** a940904443e4: to the end, it keeps the reference that it took. */
function* spapr_tce_blocking_iommu_set_platform_dma(dev: Device): Proc {
  yield;
  const grp = (yield* iommu_group_get(dev))!;
  yield;
  yield* release_ownership(grp.iommu_data!, dev);
}

export const { spapr_tce_iommu_ops } = operations(ppc64, {
  spapr_tce_iommu_ops: {
    capable: spapr_tce_iommu_capable,
    domain_alloc: spapr_tce_iommu_domain_alloc,
    probe_device: spapr_tce_iommu_probe_device,
    release_device: spapr_tce_iommu_release_device,
    device_group: spapr_tce_iommu_device_group,
    set_platform_dma_ops: spapr_tce_blocking_iommu_set_platform_dma,
  },
});

/** Those of its two domains. */
const { blocking_domain_ops, platform_domain_ops } = operations(ppc64, {
  blocking_domain_ops: { attach_dev: spapr_tce_blocking_iommu_attach_dev },
  platform_domain_ops: { attach_dev: spapr_tce_platform_iommu_attach_dev },
});
