/** Certificates of inline models, and what becomes of them when somebody changes them. */
import { type Claims, certificateBytes, type Form, readCertificate, recordBytes } from "../../src/certify/certificate.js";
import { type Certification, certifySuite, verifyCertificate } from "../../src/session/certify.js";
import { finish, type RunSuiteOptions } from "../../src/session/run-suite.js";
import { type Loaded, load } from "../support/model.js";

const version = "test";
export const FILE = "some.cert";

export interface Made extends Loaded {
  readonly bytes: Buffer;
  readonly certification: Certification;
}

/** The certificate of a suite, verified. */
export function made({ session, suite }: Loaded, options: Pick<RunSuiteOptions, "variant" | "limits"> = {}): Made {
  let bytes: Buffer = Buffer.alloc(0);
  const keep = (written: Buffer) => {
    bytes = written;
    return readCertificate(written, FILE);
  };
  const certification = finish(certifySuite(session, suite, { ...options, version }, keep));
  return { session, suite, bytes, certification };
}

/** The same of an inline model. */
export function certified(text: string): Made {
  return made(load(text));
}

/** What is said of a certificate of the suite. */
export function verified({ session, suite }: Loaded, bytes: Buffer): Certification {
  return finish(verifyCertificate(session, suite, readCertificate(bytes, FILE), { version }));
}

/** Why it is refused; null if it is accepted. */
export function refusalOf({ verification }: Certification): string | null {
  if (verification === null) throw new Error("it was not verified to its end");
  return verification.refusal?.message ?? null;
}

/** What a forger can write anew, checksum and all. */
export interface Content {
  readonly claims: Claims;
  readonly form: Form;
  /** A record each. */
  readonly states: readonly Buffer[];
}

export function changed(bytes: Buffer, change: (content: Content) => Partial<Content>): Buffer {
  const { claims, form, records } = readCertificate(bytes, FILE);
  const size = recordBytes(form);
  const states = Array.from({ length: claims.states }, (_, number) => records.subarray(number * size, (number + 1) * size));
  const content = { claims, form, states };
  const now = { ...content, ...change(content) };
  return certificateBytes({ ...now.claims, states: now.states.length }, now.form, Buffer.concat(now.states));
}

export function withoutState(bytes: Buffer, number: number): Buffer {
  return changed(bytes, ({ states }) => ({ states: states.filter((_, position) => position !== number) }));
}

export function withClaim(bytes: Buffer, check: string, verdict: Claims["verdicts"][string]): Buffer {
  return changed(bytes, ({ claims }) => ({ claims: { ...claims, verdicts: { ...claims.verdicts, [check]: verdict } } }));
}
