import { BeemeshError } from '../common/index.ts'

export const PROVIDERS_ERROR_CODES = ['PROVIDER_STATEMENT_INVALID', 'NOT_ANNOUNCED', 'PROVIDER_GONE'] as const
export type ProvidersErrorCode = (typeof PROVIDERS_ERROR_CODES)[number]

/** What a provider says cannot be believed. */
export class ProvidersError extends BeemeshError<ProvidersErrorCode> {}
