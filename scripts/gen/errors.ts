import { BeemeshError } from '../../src/common/index.ts'

export const GENERATE_ERROR_CODES = ['SCHEMA_INVALID', 'FLATC_FAILED'] as const
export type GenerateErrorCode = (typeof GENERATE_ERROR_CODES)[number]

/** A schema or a tool that the generators cannot work with. */
export class GenerateError extends BeemeshError<GenerateErrorCode> {}
