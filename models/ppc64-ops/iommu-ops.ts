/** `spapr_tce_iommu_ops` as posted in July 2022, with what was said of them. */
import { applied, atomic, ENODEV, ENOENT, EPERM, type Errno, kref_get, kzalloc, observe, type Proc } from "iommu-mc";
import { take_ownership } from "./ioda2.js";
import { type Device, type IommuDevice, type IommuDomain, type IommuGroup, type IommuOps, ppc64Ops } from "./schema.js";

/** Which callbacks there are. */
export function spapr_tce_iommu_ops(ops: IommuOps): void {
  atomic("constants of the kernel's data");
  ops.has_attach_dev = !applied("null-attach-dev");
  ops.has_detach_dev = !applied("null-detach-dev");
  ops.has_release_device = !applied("null-release-device");
  ops.has_is_attach_deferred = !applied("null-is-attach-deferred");
  ops.has_blocked = applied("stub-blocked");
}

/** Asked for cache coherency. */
export function spapr_tce_iommu_capable(): boolean {
  return true;
}

/** BLOCKED only. */
export function spapr_tce_iommu_domain_alloc(ops: IommuOps): IommuDomain | null {
  if (!ops.has_blocked) return null;
  const domain = kzalloc(ppc64Ops, "iommu_domain");
  domain.ops = ops;
  return domain;
}

/** Without the refusal it takes any device for a struct pci_dev, whose bus has a PHB. */
export function spapr_tce_iommu_probe_device(dev: Device): IommuDevice | Errno {
  if (applied("stub-refuses") && !dev.bus!.is_pci) return applied("refuses-with-enodev") ? -ENODEV : -EPERM;
  observe("probe_device", dev);
  return dev.phb!.iommu!;
}

/** With pnv_pci_device_group(). As posted the group comes without a reference. */
export function* spapr_tce_iommu_device_group(dev: Device): Proc<IommuGroup | Errno> {
  if (!dev.phb!.has_device_group) return applied("group-enodev") ? -ENODEV : -ENOENT;
  const pe = dev.pe!;
  if (!pe.is_configured) return -ENODEV;
  yield;
  atomic("taking the group, which the PE keeps alive");
  if (pe.group === null) return -ENODEV;
  if (applied("group-reference")) kref_get(pe.group.devices_kobj);
  return pe.group;
}

/** __iommu_attach_device() (6.1.176 line 1965): the one domain there is blocks. */
export function attach_dev(domain: IommuDomain, dev: Device): Errno {
  if (!domain.ops!.has_attach_dev) return -ENODEV;
  const pe = dev.pe!;
  if (applied("attach-empties-table")) pe.kernel_tces = 0;
  if (applied("attach-ends-bypass")) pe.bypass = false;
  if (applied("attach-takes-ownership")) take_ownership(pe);
  observe("attach_dev", dev, pe.has_window, pe.bypass);
  return 0;
}
