import { BeemeshError } from '../common/index.ts'

export const CONFIG_ERROR_CODES = ['CONFIG_INVALID', 'CONFIG_UNREADABLE'] as const
export type ConfigErrorCode = (typeof CONFIG_ERROR_CODES)[number]

/** The node's configuration cannot be used. */
export class ConfigError extends BeemeshError<ConfigErrorCode> {}
