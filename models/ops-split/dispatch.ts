/** Calls of callbacks: `ops->attach_dev(domain, dev)` is `attach_dev(ops, domain, dev)`. Who calls says which table. */
import { type Errno, observe, type Proc } from "iommu-mc";
import type { Access, Device, DomainType, IommuDomain, OpsTable } from "./schema.js";
import { type IommuOps, type Op, tableOf } from "./tables.js";

function callbacks(ops: OpsTable): IommuOps {
  return tableOf(ops.driver, ops.role)!;
}

/** Whether the op is not NULL. */
export function has(ops: OpsTable, op: Op): boolean {
  return callbacks(ops)[op] !== undefined;
}

export function* domain_alloc(ops: OpsTable, type: DomainType, dev: Device | null): Proc<IommuDomain | null> {
  const domain = yield* callbacks(ops).domain_alloc!(type, dev);
  observe("domain_alloc", type, domain);
  return domain;
}

export function* domain_free(ops: OpsTable, domain: IommuDomain): Proc {
  observe("domain_free", domain);
  yield* callbacks(ops).domain_free!(domain);
}

export function* attach_dev(ops: OpsTable, domain: IommuDomain, dev: Device): Proc<Errno> {
  const ret = yield* callbacks(ops).attach_dev!(domain, dev);
  observe("attach_dev", domain, dev, ret);
  return ret;
}

export function* detach_dev(ops: OpsTable, domain: IommuDomain, dev: Device): Proc {
  yield* callbacks(ops).detach_dev!(domain, dev);
  observe("detach_dev", domain, dev);
}

export function* map(ops: OpsTable, domain: IommuDomain, access: Access): Proc<Errno> {
  const ret = yield* callbacks(ops).map!(domain, access);
  observe("map", domain, access, ret);
  return ret;
}

export function* unmap(ops: OpsTable, domain: IommuDomain): Proc<boolean> {
  const wasMapped = yield* callbacks(ops).unmap!(domain);
  observe("unmap", domain, wasMapped);
  return wasMapped;
}

export function* flush_iotlb_all(ops: OpsTable, domain: IommuDomain): Proc {
  yield* callbacks(ops).flush_iotlb_all!(domain);
  observe("flush_iotlb_all", domain);
}

export function* iotlb_sync_map(ops: OpsTable, domain: IommuDomain): Proc {
  yield* callbacks(ops).iotlb_sync_map!(domain);
  observe("iotlb_sync_map", domain);
}

export function* iotlb_sync(ops: OpsTable, domain: IommuDomain): Proc {
  yield* callbacks(ops).iotlb_sync!(domain);
  observe("iotlb_sync", domain);
}

export function* iova_to_phys(ops: OpsTable, domain: IommuDomain): Proc<boolean> {
  const isMapped = yield* callbacks(ops).iova_to_phys!(domain);
  observe("iova_to_phys", domain, isMapped);
  return isMapped;
}

export function* enable_nesting(ops: OpsTable, domain: IommuDomain): Proc<Errno> {
  const ret = yield* callbacks(ops).enable_nesting!(domain);
  observe("enable_nesting", domain, ret);
  return ret;
}

export function* set_pgtable_quirks(ops: OpsTable, domain: IommuDomain): Proc<Errno> {
  const ret = yield* callbacks(ops).set_pgtable_quirks!(domain);
  observe("set_pgtable_quirks", domain, ret);
  return ret;
}

export function* is_attach_deferred(ops: OpsTable, domain: IommuDomain | null, dev: Device): Proc<boolean> {
  const isDeferred = yield* callbacks(ops).is_attach_deferred!(domain, dev);
  observe("is_attach_deferred", dev, isDeferred);
  return isDeferred;
}

export function* apply_resv_region(ops: OpsTable, dev: Device | null, domain: IommuDomain | null): Proc {
  yield* callbacks(ops).apply_resv_region!(dev, domain);
  observe("apply_resv_region");
}

export function* aux_attach_dev(ops: OpsTable, domain: IommuDomain, dev: Device): Proc<Errno> {
  const ret = yield* callbacks(ops).aux_attach_dev!(domain, dev);
  observe("aux_attach_dev", domain, dev, ret);
  return ret;
}

export function* set_dev_pasid(ops: OpsTable, domain: IommuDomain, dev: Device): Proc<Errno> {
  const ret = yield* callbacks(ops).set_dev_pasid!(domain, dev);
  observe("set_dev_pasid", domain, dev, ret);
  return ret;
}
