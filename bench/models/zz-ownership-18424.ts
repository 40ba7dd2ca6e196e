import { ownershipRaces } from "./ownership.js"; export const timed = ownershipRaces(3, 13);
