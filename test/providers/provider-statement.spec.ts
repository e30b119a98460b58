import { expect } from 'chai'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { CLOCK_SKEW_MS, LEASE_MS } from '../../src/providers/constants.ts'
import { ProvidersError } from '../../src/providers/index.ts'
import {
  MAX_STATEMENT_BYTES,
  openProviderStatement,
  signProviderStatement
} from '../../src/providers/provider-statement.ts'

const NOW_MS = 1_800_000_000_000
const key = generateSigningKey()
const networkId = openNetwork('test').id
const manifestId = new Uint8Array(36).fill(7)
const context = { manifestId, networkId, nowMs: NOW_MS, source: 'peer' as const }
const statement = signProviderStatement(
  manifestId,
  {
    version: 5,
    workloads: [{ workloadId: 'web-1', ordinal: 0, state: 'running', engine: 'mock' }]
  },
  { key, networkId, nowMs: NOW_MS, nodeName: 'anna\u0007', bootId: new Uint8Array(16) }
)

/** As much as can be said of copies; what is above the limits is left out. */
const port = { containerPort: 65_535, hostPort: 65_535, hostIp: 'f'.repeat(64), protocol: 'UDP' } as const
const workloads = Array.from({ length: 100 }, (_, ordinal) => ({
  workloadId: `${ordinal}`.padStart(63, 'w'),
  ordinal,
  state: 'running' as const,
  engine: 'e'.repeat(32),
  startedAt: NOW_MS,
  message: 'm'.repeat(4_000),
  ports: Array.from({ length: 64 }, () => port)
}))
const self = { key, networkId, nowMs: NOW_MS, nodeName: 'n'.repeat(63), bootId: new Uint8Array(16) }

function refusal(changed: Partial<typeof context>): string {
  try {
    openProviderStatement(statement, { ...context, ...changed })
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('providers: a provider’s statement', () => {
  it('says who runs what until when, with text made safe to show', () => {
    const view = openProviderStatement(statement, context)
    expect(view).to.include({ peerId: key.peerId, version: 5, nodeName: 'anna', issuedAtMs: NOW_MS })
    expect(view.leaseUntilMs).to.equal(NOW_MS + LEASE_MS)
    expect(view.workloads[0]).to.include({ workloadId: 'web-1', state: 'running' })
  })

  it('is small enough to be taken by others with as many copies, ports and labels as a node may have', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [`label-${index}`, 'v'.repeat(55)])
    )
    const largest = signProviderStatement(manifestId, { version: 1, workloads }, { ...self, labels })
    expect(openProviderStatement(largest, context).workloads).to.have.length(64)
    expect(largest.byteLength).to.be.at.most(MAX_STATEMENT_BYTES)
  })

  it('is not signed when others would drop it for its size', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [`${index}`.padEnd(320, 'k'), 'v'.repeat(256)])
    )
    const sign = () => signProviderStatement(manifestId, { version: 1, workloads }, { ...self, labels })
    expect(sign).to.throw(ProvidersError).with.property('code', 'PROVIDER_STATEMENT_INVALID')
  })

  it('is refused for another manifest or another network', () => {
    expect(refusal({ manifestId: new Uint8Array(36) })).to.equal('PROVIDER_STATEMENT_INVALID')
    expect(refusal({ networkId: openNetwork('other').id })).to.equal('SIGNATURE_INVALID')
  })

  it('is refused when its lease is over or it is from the future, clocks tolerated', () => {
    const over = NOW_MS + LEASE_MS + CLOCK_SKEW_MS
    expect(refusal({ nowMs: over })).to.equal('accepted')
    expect(refusal({ nowMs: over + 1 })).to.equal('PROVIDER_STATEMENT_INVALID')
    expect(refusal({ nowMs: NOW_MS - CLOCK_SKEW_MS })).to.equal('accepted')
    expect(refusal({ nowMs: NOW_MS - CLOCK_SKEW_MS - 1 })).to.equal('PROVIDER_STATEMENT_INVALID')
  })
})
