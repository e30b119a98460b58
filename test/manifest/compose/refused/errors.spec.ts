import { inspect } from 'node:util'
import { expect } from 'chai'
import { refuse } from '../../fixtures/manifests.ts'
import { expectRefusal, type Json, project } from '../fixtures.ts'
import { put, two } from './cases.ts'

describe('manifest/compose refusals', () => {
  for (const path of ['deploy', 'deploy.resources', 'healthcheck', 'networks.x', 'depends_on.x'])
    it(`refuse text where ${path} is a mapping`, () => {
      const at = ['services', 'web', ...path.split('.')]
      const found = refuse(put(project(), at, 'x')).violations.find((one) => one.path === at.join('.'))
      expect(found?.rule).to.equal('type')
    })

  it('refuse text where the top of the file has mappings', () => {
    for (const name of ['volumes', 'configs', 'secrets', 'networks']) {
      const paths = refuse(project({}, { [name]: { a: 'x' } })).violations.map(
        ({ path, rule }) => `${path} ${rule}`
      )
      expect(paths).to.include(`${name}.a type`)
    }
    expectRefusal(project({}, { 'x-beemesh': 'podman' }), 'x-beemesh', 'type', 'MANIFEST_INVALID')
  })

  it('come all at once, each at its own place', () => {
    const error = refuse(
      two({ build: '.', ports: ['x'], cpus: 'y' }, { image: '--z', cap_add: ['SYS_ADMIN'] }, { nmae: 'shop' })
    )
    expect(error.violations.map(({ path }) => path)).to.have.members([
      'services.web.build',
      'services.web.ports[0]',
      'services.web.cpus',
      'services.db.image',
      'services.db.cap_add[0]',
      'nmae'
    ])
  })

  it('do not name the objects that are made of the file', () => {
    const shown = refuse(project({ cpus: 'many', environment: ['1=x'] })).message
    expect(shown).to.include('document 1: services.web.cpus')
    expect(shown).to.not.match(/Pod|spec\.|containers/)
  })

  it('refuse a Kubernetes object that has services, as it is none', () => {
    expect(refuse({ ...project(), kind: 'Project' }).code).to.equal('MANIFEST_UNSUPPORTED_KIND')
    expect(refuse({ ...project(), apiVersion: 'v1' }).code).to.equal('MANIFEST_UNSUPPORTED_KIND')
  })

  const password = 'hunter2-hunter2'
  const secrets: readonly (readonly [what: string, file: Json])[] = [
    ['a variable in it', project({ environment: { A: `${password}$x` } })],
    ['a bad name beside it', project({ environment: [`1=${password}`] })],
    ['a list around it', project({ environment: { A: [password] } })],
    ['no name before it', project({ environment: [`=${password}`] })],
    ['a list of lists', project({ environment: [[password]] })],
    ['no equals sign', project({ environment: [password] })],
    ['an unknown field beside it', project({}, { secrets: { a: { contnet: password } } })],
    ['a list as content', project({ secrets: ['a'] }, { secrets: { a: { content: [password] } } })],
    ['nobody to use it', project({}, { secrets: { a: { content: password } } })],
    ['a bad key', project({ secrets: ['a/b'] }, { secrets: { 'a/b': { content: password } } })],
    [
      'a variable in the content',
      project({ configs: ['a'] }, { configs: { a: { content: `${password}$x` } } })
    ],
    ['a quote in a command', project({ command: `a ${password} "` })],
    ['a quote in a test', project({ healthcheck: { test: [password] } })],
    [
      'too many variables',
      project({ environment: Array.from({ length: 300 }, (_, n) => `A${n}=${password}`) })
    ]
  ]
  for (const [what, file] of secrets)
    it(`keep a password out of the error for ${what}`, () => {
      const error = refuse(file)
      expect(
        `${inspect(error, { depth: 20, showHidden: true })}${error.stack}${JSON.stringify(error)}`
      ).to.not.include('hunter2')
    })
})
