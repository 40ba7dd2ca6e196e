/** Who uses the IOMMU API: somebody who does whatever it allows, VFIO, drivers that do DMA, processes and the administrator. */
import { choose, idle, observe, type Proc, until } from "iommu-mc";
import {
  __iommu_domain_alloc,
  bus_iommu_probe,
  iommu_attach_device,
  iommu_aux_attach_device,
  iommu_change_dev_def_domain,
  iommu_detach_device,
  iommu_dma_map_page,
  iommu_dma_unmap_page,
  iommu_domain_free,
  iommu_enable_nesting,
  iommu_iova_to_phys,
  iommu_map,
  iommu_probe_device,
  iommu_set_pgtable_quirks,
  iommu_sva_bind_device,
  iommu_sva_unbind_device,
  iommu_unmap,
} from "./iommu.js";
import { type BusType, type Device, driver_module, type IommuDomain, reach } from "./schema.js";

/** What somebody who holds a domain may do with it, besides to attach, detach and free it. */
export type Call = "map" | "map write-only" | "unmap" | "look" | "nesting" | "quirks" | "aux" | "DMA";

/** Somebody allocates a domain and does with it what the API allows, in any order and for ever. `early`: before the first attach too. */
export function* use_domain(bus: BusType, calls: readonly Call[], early: boolean): Proc {
  for (;;) {
    yield idle();
    const domain = yield* __iommu_domain_alloc(bus, "UNMANAGED", bus.devices.at(0));
    if (domain !== null) yield* use_until_freed(domain, bus, calls, early);
  }
}

function* use_until_freed(domain: IommuDomain, bus: BusType, calls: readonly Call[], early: boolean): Proc {
  let mayUse = early;
  for (;;) {
    yield idle();
    const call = choose("the user", possible(domain, bus, mayUse ? calls : [], mayUse));
    if (call === "free") break;
    if (call.startsWith("attach")) mayUse = (yield* attach(domain, deviceOf(call, bus))) || mayUse;
    else if (call.startsWith("detach")) yield* iommu_detach_device(domain, deviceOf(call, bus));
    else yield* do_call(domain, bus.devices.at(0)!, call);
  }
  yield* iommu_domain_free(domain);
}

/** A domain is freed only when nothing is attached to it. */
function possible(domain: IommuDomain, bus: BusType, calls: readonly string[], mayFree: boolean): string[] {
  const moves: string[] = [];
  let isAttached = false;
  for (const [number, dev] of [...bus.devices].entries()) {
    const isOnIt = dev.group_domain === domain;
    moves.push(`${isOnIt ? "detach" : "attach"} ${number}`);
    isAttached ||= isOnIt;
  }
  return [...moves, ...calls, ...(mayFree && !isAttached ? ["free"] : [])];
}

function deviceOf(call: string, bus: BusType): Device {
  return bus.devices.at(call.endsWith("0") ? 0 : 1)!;
}

function* attach(domain: IommuDomain, dev: Device): Proc<boolean> {
  const ret = yield* iommu_attach_device(domain, dev);
  observe("iommu_attach_device returns", ret);
  return ret === 0;
}

function* do_call(domain: IommuDomain, dev: Device, call: string): Proc {
  if (call === "map") observe("iommu_map returns", yield* iommu_map(domain, "read_write"));
  else if (call === "map write-only") observe("iommu_map returns", yield* iommu_map(domain, "write"));
  else if (call === "unmap") observe("iommu_unmap returns", yield* iommu_unmap(domain));
  else if (call === "look") observe("iommu_iova_to_phys returns", yield* iommu_iova_to_phys(domain));
  else if (call === "nesting") observe("iommu_enable_nesting returns", yield* iommu_enable_nesting(domain));
  else if (call === "quirks") observe("iommu_set_pgtable_quirks returns", yield* iommu_set_pgtable_quirks(domain));
  else if (call === "aux") observe("iommu_aux_attach_device returns", yield* iommu_aux_attach_device(domain, dev));
  else observe("the device can", reach(dev));
}

/** The bus is probed, and then the domain's user comes. */
export function* probe_and_use(bus: BusType, calls: readonly Call[], early: boolean): Proc {
  yield* bus_iommu_probe(bus);
  yield* use_domain(bus, calls, early);
}

/** The bus is probed, and then a driver of the first device maps and unmaps, while its default domain translates. */
export function* probe_and_do_dma(bus: BusType): Proc {
  yield* bus_iommu_probe(bus);
  yield* do_dma(bus.devices.at(0)!);
}

/** A device whose default domain does not translate needs no mapping. */
export function* do_dma(dev: Device): Proc {
  for (;;) {
    yield idle();
    const domain = dev.default_domain;
    if (domain === null || domain.type === "IDENTITY" || dev.group_domain !== domain) continue;
    if (dev.dma_mapped) yield* iommu_dma_unmap_page(dev);
    else observe("iommu_dma_map_page returns", yield* iommu_dma_map_page(dev));
    yield;
    observe("the device can", reach(dev));
  }
}

/** The bus is probed, and then the driver, the administrator and the domain's user come, in turns. */
export function* probe_and_do_anything(bus: BusType, calls: readonly Call[]): Proc {
  yield* bus_iommu_probe(bus);
  const dev = bus.devices.at(0)!;
  for (;;) {
    yield idle();
    const who = choose("who comes", ["the driver", "the administrator", "the user"]);
    if (who === "the driver") yield* one_dma(dev);
    else if (who === "the administrator") observe("the type file returns", yield* iommu_change_dev_def_domain(dev));
    else {
      if (dev.dma_mapped) yield* iommu_dma_unmap_page(dev);
      const domain = yield* __iommu_domain_alloc(bus, "UNMANAGED", dev);
      if (domain !== null) yield* use_until_freed(domain, bus, calls, true);
    }
  }
}

function* one_dma(dev: Device): Proc {
  const domain = dev.default_domain;
  if (domain === null || domain.type === "IDENTITY") return;
  if (dev.dma_mapped) yield* iommu_dma_unmap_page(dev);
  else observe("iommu_dma_map_page returns", yield* iommu_dma_map_page(dev));
  observe("the device can", reach(dev));
}

/** The bus is probed, and then a device is plugged in. */
export function* probe_and_plug(bus: BusType, dev: Device): Proc {
  yield* bus_iommu_probe(bus);
  yield idle();
  yield* iommu_probe_device(dev);
}

/** Somebody looks at, and maps into, the default domain of the first device, as the API lets anybody. */
export function* look_at_default_domain(bus: BusType): Proc {
  yield* bus_iommu_probe(bus);
  const domain = bus.devices.at(0)!.default_domain;
  if (domain === null) return;
  for (;;) {
    yield idle();
    yield* do_call(domain, bus.devices.at(0)!, choose("somebody", ["map", "unmap", "look"]));
  }
}

/** The bus is probed, and the DMA API may hand out IOVAs: that of the firmware's page too? */
export function* probe_and_allocate_iova(bus: BusType): Proc {
  yield* bus_iommu_probe(bus);
  yield;
  observe("the firmware's IOVA is reserved", bus.devices.at(0)!.default_domain!.iova_reserved);
}

/** Allocates a domain for others to see, and attaches the first device to it. */
export function* share_and_attach(bus: BusType): Proc {
  const dev = bus.devices.at(0)!;
  const domain = (yield* __iommu_domain_alloc(bus, "UNMANAGED", dev))!;
  driver_module.shared_domain = domain;
  yield;
  yield* attach(domain, dev);
}

/** Maps into the domain that somebody else allocates and attaches. */
export function* map_shared(bus: BusType): Proc {
  yield until(() => driver_module.shared_domain !== null);
  yield;
  const domain = driver_module.shared_domain!;
  yield;
  yield* do_call(domain, bus.devices.at(0)!, choose("somebody", ["map", "unmap", "look"]));
}

/** Processes are bound to the first device, and unbound. */
export function* bind_processes(bus: BusType): Proc {
  yield* bus_iommu_probe(bus);
  const dev = bus.devices.at(0)!;
  for (;;) {
    yield idle();
    const domain = yield* iommu_sva_bind_device(dev);
    if (domain === null) continue;
    yield idle();
    observe("the device can", reach(dev));
    yield* iommu_sva_unbind_device(dev, domain);
  }
}

/** vfio_iommu_type1_attach_group() (6.1.176 line 2244): what VFIO_SET_IOMMU says decides whether nesting is enabled. */
export function* vfio_user(bus: BusType, calls: readonly Call[]): Proc {
  yield* bus_iommu_probe(bus);
  const dev = bus.devices.at(0)!;
  for (;;) {
    yield idle();
    const nesting = choose("VFIO_SET_IOMMU", ["VFIO_TYPE1_IOMMU", "VFIO_TYPE1_NESTING_IOMMU"]) === "VFIO_TYPE1_NESTING_IOMMU";
    const domain = yield* __iommu_domain_alloc(bus, "UNMANAGED", dev);
    if (domain === null) continue;
    const ret = nesting ? yield* iommu_enable_nesting(domain) : 0;
    observe("VFIO_SET_IOMMU returns", ret);
    if (ret === 0 && (yield* attach(domain, dev))) yield* use_as_vfio(domain, dev, calls);
    yield* iommu_domain_free(domain);
  }
}

function* use_as_vfio(domain: IommuDomain, dev: Device, calls: readonly Call[]): Proc {
  for (;;) {
    yield idle();
    const call = choose("the process", [...calls, "close"]);
    if (call === "close") break;
    yield* do_call(domain, dev, call);
  }
  yield* iommu_detach_device(domain, dev);
}
