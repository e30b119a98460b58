import { format } from 'node:util'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import { type DestinationStream, pino } from 'pino'

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** JSON lines; the message says what happened, fields say to what. */
export interface NodeLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  debug(fields: object, message: string): void
  trace(fields: object, message: string): void
  child(fields: object): NodeLogger
}

/** A log on stderr, or where `destination` says. */
export function createLogger(level: LogLevel, destination?: DestinationStream): NodeLogger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination ?? pino.destination(2)
  )
}

/**
 * The log as libp2p and our services use it: printf style, a name for each component. Ours go to debug and warn; libp2p's own
 * only to trace, because its errors are everyday weather in a network.
 */
export function toComponentLogger(log: NodeLogger, level: LogLevel): ComponentLogger {
  return { forComponent: (name) => toLogger(log, name, level) }
}

function toLogger(log: NodeLogger, component: string, level: LogLevel): Logger {
  const ours = component.startsWith('beemesh')
  const child = log.child({ component })
  const enabled = level === 'trace' || (ours && level === 'debug')
  const plain = (template: unknown, ...values: unknown[]) => {
    if (enabled) (ours ? child.debug : child.trace).call(child, {}, print(template, values))
  }
  const error = (template: unknown, ...values: unknown[]) => {
    if (ours) child.warn({}, print(template, values))
    else if (enabled) child.trace({}, print(template, values))
  }
  return Object.assign(plain, {
    error,
    trace: () => {}, // because libp2p calls it for every packet
    enabled,
    newScope: (name: string) => toLogger(log, `${component}:${name}`, level)
  })
}

/** libp2p's own placeholders (%p peer, %a address, %e error, …) are all shown as text. */
function print(template: unknown, values: unknown[]): string {
  const text = String(template).replace(/%[abcekptA-Z]/g, '%s')
  return format(
    text,
    ...values.map((value) => (value instanceof Error ? `${value.name}: ${value.message}` : toText(value)))
  )
}

function toText(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? String(value) : value
}
