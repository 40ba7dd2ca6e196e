/** Writes docs/properties.md: npm run docs:properties. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/session/open.js";
import { catalogue, PROPERTIES_PAGE, propertiesPage } from "./properties-page.js";

writeFileSync(join(packageRoot(), PROPERTIES_PAGE), propertiesPage(catalogue()));
