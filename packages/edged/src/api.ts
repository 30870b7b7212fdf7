/**
 * edged in the process of its caller: for a test harness, a provisioning tool, a simulation. Seven
 * functions, each with one plain object of options and one plain object as its result. Nothing is
 * printed, no environment variable is read, the process never ends: a refusal is a thrown
 * {@link PrecheckError}, whose `code` and `class` are stable. docs/api.md has a whole example.
 *
 * @packageDocumentation
 */
export { type BootstrapOptions, type Bootstrapped, bootstrap } from './api/bootstrap.ts';
export {
  type CaptureOptions,
  type CapturedFingerprint,
  captureFingerprint,
} from './api/capture-fingerprint.ts';
export {
  type DecisionKind,
  type DetectOptions,
  type Detection,
  detectOsUpdate,
} from './api/detect-os-update.ts';
export {
  type VerifiedOperation,
  type VerifiedRuntime,
  type VerifyOptions,
  verifyManifest,
} from './api/verify-manifest.ts';
export {
  type PartResult,
  type Reconstruction,
  type Rotation,
  rotateEpoch,
  runReconstruction,
} from './api/reconstruction.ts';
export {
  type CertificateOptions,
  type CertificateRotationOptions,
  type ConfigOptions,
  type PartsOptions,
  type PrecheckPassed,
  type ProgressOptions,
  precheck,
} from './api/precheck.ts';
export type {
  ClockOptions,
  DeviceOptions,
  FileChange,
  FingerprintOptions,
  MachineOptions,
  RehearsalOptions,
  Rehearsed,
  ReportOptions,
  StateRootOptions,
  StateRootRules,
  TrustOptions,
} from './api/options.ts';
export {
  type FailureClass,
  type FailureCode,
  type FailureDetail,
  type FailureKind,
  type Gate,
  PrecheckError,
  failures,
} from '@edged/model/failure';
export { exitCodes } from '@edged/model/exit-code';
export type { Attributes, EventName, Progress, Report } from '@edged/precheck/event';
export type { TimeVerdict } from '@edged/precheck/trust/trusted-time';
