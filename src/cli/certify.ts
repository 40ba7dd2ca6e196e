/** `iommu-mc certify`: has a second checker verify the states that the first has reached. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Certificate, readCertificate } from "../certify/certificate.js";
import type { Suite } from "../lang/suite.js";
import { certificationText, jsonCertification } from "../report/certification.js";
import { certifyProgressText } from "../report/progress.js";
import { exitCodeOf } from "../report/verdict.js";
import { type Certification, type CertifyProgress, certifySuite, suiteOfCertificate, verifyCertificate } from "../session/certify.js";
import type { Session } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { overSuites, type Working } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText, version } from "./header.js";
import { type LimitOptions, limitsOf, type VariantOptions, variantOf } from "./options.js";
import { open, requireFile, selectOne } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface CertifyOptions extends VariantOptions, LimitOptions {
  readonly file?: string;
  readonly out?: string;
  readonly verify?: string;
  readonly json?: boolean;
}

/** What is to be done, of which suite. */
interface Task {
  readonly session: Session;
  readonly suite: Suite;
  readonly begin: () => Working<CertifyProgress, Certification>;
}

/** Explores the suite, or takes a certificate that was kept; exactly one of the two is named. */
export async function certify(name: string | undefined, options: CertifyOptions): Promise<ExitCode> {
  const { session, suite, begin } = options.verify === undefined ? making(name, options) : verifying(name, options.verify, options);
  const results = await overSuites(session, [suite], begin, certifyProgressText);
  tellErrors(results);
  const [result] = results;
  const exitCode = result === undefined ? 3 : exitCodeOf(result);
  process.exitCode = exitCode;
  if (result?.kind !== "run") return exitCode;
  const path = options.verify ?? options.out ?? null;
  await print(
    options.json
      ? jsonText(jsonCertification(headerOf("certify"), result.run, path))
      : certificationText(result.run, { certificate: path, suites: options.file ?? null }, lookOfStdout()),
  );
  return exitCode;
}

function making(name: string | undefined, options: CertifyOptions): Task {
  if (name === undefined)
    throw new UsageError("no suite is named", "Name one, or a certificate by --verify; `iommu-mc list suites` has them.");
  const { session } = open(options.file);
  const suite = selectOne(session.suites, name);
  const keep = (bytes: Buffer): Certificate => {
    if (options.out === undefined) return readCertificate(bytes, "the certificate");
    writeFileSync(options.out, bytes);
    return readCertificate(readFileSync(options.out), options.out);
  };
  const how = { variant: variantOf(options), limits: limitsOf(options), version: version() };
  return { session, suite, begin: () => certifySuite(session, suite, how, keep) };
}

function verifying(name: string | undefined, path: string, options: CertifyOptions): Task {
  if (name !== undefined)
    throw new UsageError(`${name} is named, and a certificate`, "The certificate says which suite it is of: leave one out.");
  requireFile(path, "Give the path of what `iommu-mc certify SUITE --out FILE` wrote.");
  const certificate = readCertificate(readFileSync(path), path);
  const { session } = open(options.file);
  const suite = suiteOfCertificate(session, certificate, path);
  return { session, suite, begin: () => verifyCertificate(session, suite, certificate, { limits: limitsOf(options), version: version() }) };
}
