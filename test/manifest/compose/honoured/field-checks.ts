/** For each honoured field of a service, what it makes. */
export type FieldChecks = Readonly<Record<string, () => void>>
