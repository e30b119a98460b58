import { expect } from 'chai'
import { convert, db, type Json, project } from '../fixtures.ts'
import type { FieldChecks } from './field-checks.ts'

const always = { restart: 'always' }

/** What is run, and when. */
export const RUNNING: FieldChecks = {
  image: () => {
    expect(convert(project()).web).to.deep.equal({ name: 'web', image: 'localhost/web:1' })
  },
  command: () => {
    expect(convert(project({ command: ['a', 'b c'] })).web.args).to.deep.equal(['a', 'b c'])
    expect(convert(project({ command: `sh -c "a 'b'" c\\ d ''` })).web.args).to.deep.equal([
      'sh',
      '-c',
      "a 'b'",
      'c d',
      ''
    ])
    expect(convert(project({ command: null })).web).to.not.have.property('args')
  },
  entrypoint: () => {
    const { web } = convert(project({ entrypoint: '/start --now', command: ['x'] }))
    expect([web.command, web.args]).to.deep.equal([['/start', '--now'], ['x']])
    for (const entrypoint of ['', []]) {
      const bare = convert(project({ entrypoint, command: ['x', 'y'] })).web
      expect([bare.command, bare.args]).to.deep.equal([['x', 'y'], undefined])
    }
  },
  environment: () => {
    const env = [
      { name: 'A', value: 'x=y' },
      { name: 'N', value: '1' },
      { name: 'T', value: 'true' },
      { name: 'E', value: '' }
    ]
    const map = { A: 'x=y', N: 1, T: true, E: '' }
    expect(convert(project({ environment: map })).web.env).to.deep.equal(env)
    expect(convert(project({ environment: ['A=x=y', 'N=1', 'T=true', 'E='] })).web.env).to.deep.equal(env)
  },
  depends_on: () => {
    const names = (depends_on: unknown) => {
      const { spec } = convert(project({ depends_on }, {}, { db: db(), setup: db() }))
      return [spec.initContainers ?? [], spec.containers].map((some) => some.map(({ name }) => name))
    }
    expect(names(undefined)).to.deep.equal([[], ['web', 'db', 'setup']])
    expect(names(['setup', 'db'])).to.deep.equal([[], ['setup', 'db', 'web']])
    expect(
      names({ setup: { condition: 'service_completed_successfully' }, db: { condition: 'service_started' } })
    ).to.deep.equal([['setup'], ['db', 'web']])
    expect(names({ gone: { condition: 'service_started', required: false } })).to.have.length(2)
    const healthy = { db: { condition: 'service_healthy' } }
    expect(
      convert(project({ depends_on: healthy, ...always }, {}, { db: db(always) })).spec.restartPolicy
    ).to.equal('Always')
  },
  restart: () => {
    const policies = { no: 'Never', always: 'Always', 'unless-stopped': 'Always', 'on-failure': 'OnFailure' }
    for (const [restart, policy] of Object.entries(policies))
      expect(convert(project({ restart }, {}, { db: db({ restart }) })).spec.restartPolicy).to.equal(policy)
    expect(convert(project()).spec.restartPolicy).to.equal('Never')
  },
  healthcheck: () => {
    const probe = (healthcheck: Json) => convert(project({ healthcheck })).web.readinessProbe
    const shell = { exec: { command: ['/bin/sh', '-c', 'a && b'] } }
    const defaults = { periodSeconds: 30, timeoutSeconds: 30, failureThreshold: 3 }
    expect(probe({ test: 'a && b' })).to.deep.equal({ ...shell, ...defaults })
    expect(probe({ test: ['CMD-SHELL', 'a && b'], start_period: '5s' })).to.deep.equal({
      ...shell,
      ...defaults
    })
    expect(
      probe({ test: ['CMD', 'a', '$$x'], interval: '1m30s', timeout: '1500ms', retries: 5 })
    ).to.deep.equal({
      exec: { command: ['a', '$$x'] },
      periodSeconds: 90,
      timeoutSeconds: 2,
      failureThreshold: 5
    })
    for (const none of [{ test: ['NONE'] }, { disable: true }, { test: 'a', disable: true }])
      expect(probe(none)).to.equal(undefined)
  },
  stop_grace_period: () => {
    const of = (first: Json, second: Json) =>
      convert(project(first, {}, { db: db(second) })).spec.terminationGracePeriodSeconds
    expect(of({ stop_grace_period: '1m30s' }, { stop_grace_period: '5s' })).to.equal(90)
    expect(of({ stop_grace_period: '1s' }, { stop_grace_period: '2500ms' })).to.equal(3)
    expect(of({ stop_grace_period: '1s' }, {})).to.equal(10)
    expect(of({}, {})).to.equal(undefined)
  },
  working_dir: () => {
    expect(convert(project({ working_dir: '/srv' })).web.workingDir).to.equal('/srv')
  },
  labels: () => {
    for (const labels of [{ app: 'shop', n: 1, e: null }, ['app=shop', 'n=1', 'e']])
      expect(
        convert(project({ labels }, {}, { db: db({ labels: ['app=shop'] }) })).workload.metadata.labels
      ).to.deep.equal({ app: 'shop', n: '1', e: '' })
  },
  pull_policy: () => {
    const policy = (pull_policy: string) => convert(project({ pull_policy })).web.imagePullPolicy
    expect(['always', 'never', 'missing', 'if_not_present'].map(policy)).to.deep.equal([
      'Always',
      'Never',
      undefined,
      undefined
    ])
  }
}
