/**
 * What a node tells about itself to whoever runs it: the log. Stands apart so that no other folder formats or decides where
 * lines go. Never decides anything.
 */
export { createLogger, type LogLevel, type NodeLogger, toComponentLogger } from './logger.ts'
