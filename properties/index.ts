/** The catalogue, by the codes that suites and the command line use. */
import type { Property } from "iommu-mc";
import { C1, C3, C3Attach, C3Container, C3Replace, C4, C4Detach, C5, C5Own, C10, C11, L2, L2Mapping } from "./domains.js";
import { L3, L3Id, R1 } from "./lifetime.js";
import { driverAtWork, K1, O1, O2, O2Open, O2User, O3, O5, O6, O7, userAtWork, V4 } from "./ownership.js";

/** Claims that are meant to hold of ownership in every kernel from v5.19 on. */
export const ownership: readonly Property[] = [K1, O1, O2, O3, O5, O6, O7, C1, C4Detach, C5, C11, L2, L3, R1];

/** Contracts of v6.5, which 6.1 does not promise. */
export const sinceV65: readonly Property[] = [C3, C3Attach, C4];

/** Witnesses that something happens at all. */
export const witnesses: readonly Property[] = [userAtWork, driverAtWork];

export { C6, C6Flush, C7, C7Type, C8, C12Count, C12List, O9, T3, X3Default } from "./default-domain.js";
export { L4, L6, O4, V3 } from "./hotplug.js";
export { C14, C14Rest, C16, L7, T2Pasid } from "./pasid.js";
export { G1, L1, T4, T5, T5Domain, V2, X1, X2, X6 } from "./probing.js";
export { L2Requester, T2Requester } from "./requesters.js";
export { C15, C15Untouched, staleTranslation, T1, T2, T2Context, T3Queue, T6, V5, X3 } from "./translation.js";
export {
  C1,
  C3,
  C3Attach,
  C3Container,
  C3Replace,
  C4,
  C4Detach,
  C5,
  C5Own,
  C10,
  C11,
  driverAtWork,
  K1,
  L2,
  L2Mapping,
  L3,
  L3Id,
  O1,
  O2,
  O2Open,
  O2User,
  O3,
  O5,
  O6,
  O7,
  R1,
  userAtWork,
  V4,
};
