import { expect } from 'chai'
import { convert, db, project } from '../fixtures.ts'
import type { FieldChecks } from './field-checks.ts'

/** What a service may use and do. */
export const RESOURCES: FieldChecks = {
  deploy: () => {
    const limits = { cpus: '0.5', memory: '64M', pids: 20 }
    const resources = { limits, reservations: { cpus: 0.25, memory: '32m' } }
    const deploy = { resources, replicas: 1, mode: 'replicated', restart_policy: { condition: 'any' } }
    const { web, workload, spec } = convert(project({ deploy, restart: 'no' }))
    expect(web.resources).to.deep.equal({
      limits: { cpu: '0.5', memory: 64 * 2 ** 20 },
      requests: { cpu: '0.25', memory: 32 * 2 ** 20 }
    })
    expect(workload.metadata.annotations).to.include({ 'beemesh.io/pids-limit': '20' })
    expect(spec.restartPolicy).to.equal('Always')
  },
  cpus: () => {
    expect(convert(project({ cpus: 1.5 })).web.resources).to.deep.equal({ limits: { cpu: '1.5' } })
  },
  mem_limit: () => {
    for (const [mem_limit, memory] of [
      ['64m', 64 * 2 ** 20],
      ['1.5gb', 1.5 * 2 ** 30],
      [16_777_216, 2 ** 24],
      ['8192k', 2 ** 23]
    ])
      expect(convert(project({ mem_limit })).web.resources).to.deep.equal({ limits: { memory } })
  },
  mem_reservation: () => {
    expect(convert(project({ mem_reservation: '64m' })).web.resources).to.deep.equal({
      requests: { memory: 64 * 2 ** 20 }
    })
  },
  pids_limit: () => {
    const { workload } = convert(project({ pids_limit: 9 }, {}, { db: db({ pids_limit: '9' }) }))
    expect(workload.metadata.annotations).to.include({ 'beemesh.io/pids-limit': '9' })
  },
  user: () => {
    expect(convert(project({ user: '1000:100' })).web.securityContext).to.deep.equal({
      runAsUser: 1000,
      runAsGroup: 100
    })
    expect(convert(project({ user: 0 })).web.securityContext).to.deep.equal({ runAsUser: 0 })
  },
  read_only: () => {
    expect(convert(project({ read_only: true })).web.securityContext).to.deep.equal({
      readOnlyRootFilesystem: true
    })
  },
  cap_add: () => {
    expect(convert(project({ cap_add: ['CAP_CHOWN', 'kill'] })).web.securityContext).to.deep.equal({
      capabilities: { add: ['CHOWN', 'KILL'] }
    })
  },
  cap_drop: () => {
    expect(convert(project({ cap_drop: ['ALL'] })).web.securityContext).to.deep.equal({
      capabilities: { drop: ['ALL'] }
    })
  },
  security_opt: () => {
    for (const option of ['no-new-privileges', 'no-new-privileges:true'])
      expect(convert(project({ security_opt: [option] })).web.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false
      })
    expect(convert(project({ security_opt: ['no-new-privileges:false'] })).web).to.not.have.property(
      'securityContext'
    )
  }
}
