/**
 * What a node tells about itself to whoever runs it: the log, and figures for Prometheus. Stands apart so that no other folder formats
 * or decides where lines go. Never decides anything.
 */
export { TELEMETRY_ERROR_CODES, TelemetryError, type TelemetryErrorCode } from './errors.ts'
export { createLogger, type LogLevel, type NodeLogger, toComponentLogger } from './logger.ts'
export { type NodeMetrics, openMetrics } from './metrics.ts'
