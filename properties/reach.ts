/** What the devices' DMA can reach: a function of the state. */
import { isFreed } from "iommu-mc";
import {
  type Device,
  type DomainId,
  type IommuDomain,
  type IommuGroup,
  iommu_core,
  type Page,
  type RequesterId,
} from "../models/linux/schema.js";

export interface Reach {
  /** Memory of the kernel or of one of its drivers. */
  readonly kernel: boolean;
  /** Pages a VFIO user has mapped. */
  readonly user: boolean;
}

/**
 * What the device's DMA can reach now, through the page table or through what is cached of it. `devices` are all devices:
 * their drivers' mappings are what a domain's page table holds. A domain that has been freed may translate to anything, since its page tables are reused memory.
 */
export function reach(dev: Device, devices: readonly Device[]): Reach {
  const through = [dev.hw, ...[...dev.requester_ids].flatMap(usedBy)].map((domain) => reachThrough(domain, devices));
  return { kernel: through.some(({ kernel }) => kernel), user: through.some(({ user }) => user) };
}

function reachThrough(domain: IommuDomain | null, devices: readonly Device[]): Reach {
  if (domain === null) return { kernel: false, user: false };
  if (isFreed(domain) || domain.type === "IDENTITY") return { kernel: true, user: true };
  // What the platform's DMA API has mapped in a domain of its own is not modelled.
  if (domain.type === "PLATFORM") return { kernel: true, user: false };
  const id = idOf(domain);
  const isReused = (page: Page) => !page.for_dma;
  return {
    kernel:
      devices.some((other) => other.dma_map === domain || other.devres_map === domain) ||
      (id !== null && (id.stale0.some(isReused) || id.stale1.some(isReused))),
    user: domain.user_map,
  };
}

/** The domains that requests with this id may be translated by: that of its entry, and those of entries that the context cache may still have. */
export function usedBy(id: RequesterId): readonly (IommuDomain | null)[] {
  return [id.pasid_table === null ? id.domain : id.pasid_table.domain, ...id.cached];
}

/** Whether the test is true of every device of a group. */
export function everyMember(group: IommuGroup, test: (dev: Device) => boolean): boolean {
  return group.devices.every((entry) => test(entry.dev!));
}

/** Whether the device, which a kdump kernel has probed, still is what the crashed kernel has left. */
export function isAttachDeferred(dev: Device): boolean {
  return dev.hw !== null && dev.hw === iommu_core.copied_tables;
}

/** Whether the device is on the domain, or will be when its reset is over. Who is on none is blocked, as on a blocking domain. */
export function isOn(dev: Device, domain: IommuDomain | null): boolean {
  const isBlocked = dev.hw === null && domain !== null && domain.type === "BLOCKED";
  return dev.hw === domain || isBlocked || dev.resets > 0;
}

/** Whether a driver that uses the DMA API has the device. */
export function hasNativeDriver(dev: Device): boolean {
  return dev.driver !== null && !dev.driver.driver_managed_dma;
}

/** Whether the DMA API maps into a domain of that type, lazily or not. */
export function isDmaDomain({ type }: IommuDomain): boolean {
  return type === "DMA" || type === "DMA_FQ";
}

/** What the IOTLB knows the domain by: the id of its structure under Intel's driver, or its ASID. Null until a device is attached. */
export function idOf(domain: IommuDomain): DomainId | null {
  return domain.iommu_array === null ? domain.asid : domain.iommu_array.did;
}
