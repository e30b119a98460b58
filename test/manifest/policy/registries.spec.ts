import { expect } from 'chai'
import { parseImage } from '../../../src/manifest/policy/image-reference.ts'
import { container } from '../fixtures/manifests.ts'
import { brokenBy, forged, rulesBroken } from './fixtures.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`

describe('manifest: registries of the sandbox policy', () => {
  const accepts = (image: string, ...registries: string[]): boolean =>
    brokenBy({ preset: 'open', overrides: { registries } }, container({ image })).length === 0

  for (const [image, prefix] of [
    ['registry.example/team/app', 'registry.example'],
    ['registry.example/team/app:1', 'registry.example/'],
    ['registry.example/team/app:1', 'registry.example/team'],
    [`registry.example/team/deep/app@${DIGEST}`, 'registry.example/team/'],
    ['registry.example/team/app:1', 'registry.example/team/app'],
    ['registry.example:5000/app', 'registry.example:5000'],
    ['localhost/app:1', 'localhost'],
    ['localhost:5000/app', 'localhost:5000'],
    ['docker.io/nginx', 'docker.io/library'],
    ['index.docker.io/nginx:1', 'docker.io/library/nginx'],
    ['index.docker.io/team/app', 'docker.io/team/']
  ] as const)
    it(`accepts ${image} below ${prefix}`, () => {
      expect(accepts(image, prefix)).to.equal(true)
    })

  for (const [why, image, prefix] of [
    ['a host that only begins alike', 'docker.io.evil.test/library/nginx', 'docker.io'],
    ['a host that only ends alike', 'evil-docker.io/library/nginx', 'docker.io'],
    ['a subdomain', 'evil.registry.example/app', 'registry.example'],
    ['the registry as a path of another', 'evil.test/registry.example/team/app', 'registry.example'],
    ['a team that only begins alike', 'registry.example/teamx/app', 'registry.example/team'],
    ['a team that only begins alike, with a slash', 'registry.example/teamx/app', 'registry.example/team/'],
    ['a repository that only begins alike', 'docker.io/library/nginx-evil', 'docker.io/library/nginx'],
    ['a way up', 'registry.example/team/../evil/app', 'registry.example/team'],
    ['a dot', 'registry.example/team/./app', 'registry.example/team'],
    ['an empty part', 'registry.example/team//app', 'registry.example/team'],
    ['another port', 'registry.example:5000/team/app', 'registry.example/team'],
    ['no port where one is asked for', 'registry.example/team/app', 'registry.example:5000/team'],
    ['a port that only begins alike', 'registry.example:50001/app', 'registry.example:5000'],
    ['a port that is none', 'registry.example:/team/app', 'registry.example'],
    ['capitals in the host', 'Registry.example/team/app', 'registry.example/team'],
    ['capitals in the path', 'registry.example/Team/app', 'registry.example/Team'],
    ['a tag in the middle', 'registry.example/team:1/app', 'registry.example/team'],
    ['a tag that looks like a path', 'evil.test/app:registry.example', 'registry.example'],
    ['a host with a trailing dot', 'registry.example./team/app', 'registry.example'],
    ['a name without a registry', 'nginx', 'docker.io'],
    ['a name without a registry, below a user', 'library/nginx', 'docker.io/library'],
    ['a name that becomes another one', 'docker.io/nginx', 'docker.io/nginx'],
    ['a team where the repository of that name is meant', 'docker.io/team', 'docker.io/team/app'],
    ['localhost beside localhost with a port', 'localhost:5000/app', 'localhost']
  ] as const)
    it(`refuses ${why}: ${image} below ${prefix}`, () => {
      expect(accepts(image, prefix)).to.equal(false)
    })

  it('accepts what is below any of several, and everything where none is named', () => {
    expect(accepts('b.example/app', 'a.example', 'b.example')).to.equal(true)
    expect(accepts('c.example/app', 'a.example', 'b.example')).to.equal(false)
    for (const image of ['nginx', 'c.example/app']) expect(accepts(image)).to.equal(true)
  })

  it('refuses what is no name at all, had the format let it through', () => {
    for (const image of ['', 'registry.example/a b', 'registry.example@evil.test/a', 7, null])
      expect(
        rulesBroken(forged({ container: { image } }), {
          preset: 'open',
          overrides: { registries: ['registry.example'] }
        }),
        String(image)
      ).to.deep.equal(['registries spec.containers[0].image'])
  })

  it('reads names as engines do', () => {
    expect(parseImage(`registry.example:5000/a/b:1@${DIGEST}`)).to.deep.equal({
      registry: 'registry.example:5000',
      repository: 'a/b',
      tag: '1',
      digest: DIGEST
    })
    expect(parseImage('nginx:1.27')).to.deep.equal({ repository: 'nginx', tag: '1.27' })
    expect(parseImage('team/app')).to.deep.equal({ repository: 'team/app' })
    expect(parseImage('docker.io/nginx')).to.deep.equal({
      registry: 'docker.io',
      repository: 'library/nginx'
    })
    for (const none of ['A', 'a//b', '/a', 'a/', 'a:', 'a:b:c', 'a@sha256:0', '-a.b/c'])
      expect(parseImage(none), none).to.equal(undefined)
  })
})
