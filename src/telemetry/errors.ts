import { BeemeshError } from '../common/index.ts'

export const TELEMETRY_ERROR_CODES = ['METRICS_UNAVAILABLE'] as const
export type TelemetryErrorCode = (typeof TELEMETRY_ERROR_CODES)[number]

/** What is to be seen of this node cannot be shown. */
export class TelemetryError extends BeemeshError<TelemetryErrorCode> {}
