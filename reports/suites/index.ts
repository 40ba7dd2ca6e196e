/** Every bundled suite: what `iommu-mc check` runs and `reports/ledger.json` records. */
import type { Suite } from "iommu-mc";
import { intelQ35 } from "../../models/linux/machine/topologies/intel-q35.js";
import { smmuv3Virt } from "../../models/linux/machine/topologies/smmuv3-virt.js";
import { arm64Suites } from "./arm64.js";
import { arm64DomainSuites } from "./arm64-domains.js";
import { arm64OrderSuites } from "./arm64-orders.js";
import { before6Suites } from "./before-6.js";
import { before6UserSuites } from "./before-6-users.js";
import { cacheTagSuites } from "./cache-tags.js";
import { defaultDomainSuites } from "./default-domain.js";
import { defaultDomainRaceSuites } from "./default-domain-race.js";
import { deferredAttachSuites } from "./deferred-attach.js";
import { dmaSuites } from "./dma.js";
import { driverSuites } from "./drivers.js";
import { driversThenSuites } from "./drivers-then.js";
import { finalizeSuites } from "./finalize.js";
import { groupAllocSuites } from "./group-alloc.js";
import { groupDomainSuites } from "./group-domains.js";
import { groupDomainForwardSuites } from "./group-domains-forward.js";
import { hotplugSuites } from "./hotplug.js";
import { ioda2Suites } from "./ioda2.js";
import { iommufdSuites } from "./iommufd.js";
import { mediatedSuites } from "./mediated.js";
import { openRaceSuites } from "./open-races.js";
import { opsSplitSuites } from "./ops-split.js";
import { closeSuites, ownershipSuites, partialAttachSuites } from "./ownership-on.js";
import { pasidSuites } from "./pasids.js";
import { ppc64Suites } from "./ppc64.js";
import { ppc64OpsSuites } from "./ppc64-ops.js";
import { probingSuites } from "./probing.js";
import { registrationSuites } from "./registration.js";
import { forwardSuites } from "./registration-forward.js";
import { requesterSuites } from "./requesters.js";
import { resetSuites } from "./resets.js";
import { spaprTceSuites } from "./spapr-tce.js";
import { userDmaSuites } from "./user-dma.js";
import { viabilitySuites } from "./viability.js";

export const suites: readonly Suite[] = [
  ...probingSuites,
  ...registrationSuites,
  ...forwardSuites,
  ...before6Suites,
  ...before6UserSuites,
  ...hotplugSuites,
  ...deferredAttachSuites,
  ...dmaSuites,
  ...defaultDomainSuites,
  ...driverSuites,
  ...groupDomainSuites,
  ...groupDomainForwardSuites,
  ...finalizeSuites,
  ...groupAllocSuites,
  ...defaultDomainRaceSuites,
  ...mediatedSuites,
  ...viabilitySuites,
  ...userDmaSuites,
  ...driversThenSuites,
  ...arm64Suites,
  ...arm64OrderSuites,
  ...arm64DomainSuites,
  ...iommufdSuites,
  ...openRaceSuites,
  ...pasidSuites,
  ...resetSuites,
  ...requesterSuites,
  ...cacheTagSuites,
  ...spaprTceSuites,
  ...closeSuites(smmuv3Virt),
  ...partialAttachSuites(intelQ35),
  ...ownershipSuites(intelQ35, { rebinders: 2 }),
  ...ownershipSuites(smmuv3Virt),
  ...ppc64Suites,
  ...ppc64OpsSuites,
  ...ioda2Suites,
  ...opsSplitSuites,
];

/** Read by `iommu-mc claims`. */
export { claims } from "../claims/index.js";
/** Read by `iommu-mc corpus`. */
export { bugs } from "../corpus/entries.js";
/** Read by `check --coverage`. */
export { notExercised } from "../not-exercised.js";
/** Read by `iommu-mc corpus`. */
export { switches } from "../switches/index.js";
