/** What a modelled IOMMU driver has of `struct iommu_ops` and of its `default_domain_ops`: include/linux/iommu.h of 6.1.176. */
import type { Errno, Proc } from "iommu-mc";
import type { Device, DomainType, IommuDevice, IommuDomain, IommuOps } from "../schema.js";

/**
 * Operations of a domain are one step each: see hardware.ts. `probe_finalize` is in iommu/dma-iommu.ts, where the drivers
 * that have one call what they are given; `device_group` is in iommu/group.ts for the same reason.
 */
export interface Driver {
  /** The device's IOMMU or an error. Null is neither: only a driver that is wrong returns it. */
  readonly probe_device: (ops: IommuOps, dev: Device) => Proc<IommuDevice | Errno | null>;
  readonly release_device: (dev: Device) => Proc;
  /** Absent: nothing is ever deferred. */
  readonly is_attach_deferred?: (dev: Device) => boolean;
  /** What the device needs; null if anything will do. Absent: always null. */
  readonly def_domain_type?: (ops: IommuOps, dev: Device) => DomainType | null;
  /** Absent: the driver has all its domains from the start. */
  readonly domain_alloc?: (ops: IommuOps, type: DomainType) => IommuDomain | null;
  /** Absent: domains are there for good. */
  readonly free?: (domain: IommuDomain) => void;
  readonly attach_dev?: (domain: IommuDomain, dev: Device) => Errno;
  /** The same as a procedure, in place of it: one step too, but traces show what it calls. */
  readonly attach_dev_calls?: (domain: IommuDomain, dev: Device) => Proc<Errno>;
  /** The same where nobody holds the group's mutex, on which drivers rely. Absent: one step all the same. */
  readonly attach_dev_unlocked?: (domain: IommuDomain, dev: Device) => Proc<Errno>;
  /** Absent: a device leaves a domain only for another. */
  readonly detach_dev?: (dev: Device, domain: IommuDomain) => void;
  /** Attaches a domain to the one PASID, which is on `old`, or blocked if that is null. Absent: no PASIDs. */
  readonly set_dev_pasid?: (domain: IommuDomain, dev: Device, old: IommuDomain | null) => Errno;
  /** Blocks the one PASID, which is on that domain. */
  readonly remove_dev_pasid?: (domain: IommuDomain, dev: Device) => void;
  /** Absent: there is nothing to flush. */
  readonly flush_iotlb_all?: (domain: IommuDomain) => Proc;
}
