import { expect } from 'chai'
import { canonicalBytes, parseCanonical, parseManifests, toPod } from '../../../../src/manifest/index.ts'
import { file, parseOne, pod } from '../../fixtures/manifests.ts'
import { db, project } from '../fixtures.ts'

const volumes = { volumes: { data: null } }

describe('manifest/compose projects', () => {
  it('are one Pod on the Docker engine, whose services find each other by name', () => {
    const { objects: _, ...manifest } = parseOne(project({ ports: ['8080:80'] }, {}, { db: db() }))
    expect(manifest).to.deep.include({
      kind: 'Pod',
      namespace: 'default',
      name: 'shop',
      replicas: 1,
      engine: 'docker',
      ports: [{ container: 'web', containerPort: 80, protocol: 'TCP', hostPort: 8080 }]
    })
  })

  it('take engine, namespace and annotations from x-beemesh, and ignore other extensions', () => {
    const annotations = { 'beemesh.io/on-node-loss': 'keep' }
    const top = {
      'x-beemesh': { engine: 'podman', namespace: 'team', annotations },
      'x-other': { a: '$B' }
    }
    const manifest = parseOne(project({ 'x-note': 1, volumes: ['data:/a'] }, { ...top, ...volumes }))
    expect(manifest).to.include({ engine: 'podman', namespace: 'team' })
    expect(manifest.objects.map(({ metadata }) => metadata.namespace)).to.deep.equal(['team', 'team'])
    expect(manifest.objects[0]?.metadata.annotations).to.deep.equal({
      'beemesh.io/engine': 'podman',
      ...annotations
    })
    expect(parseManifests(file(project()), { namespace: 'ops' })[0]?.namespace).to.equal('ops')
  })

  it('stand beside Kubernetes documents in one file', () => {
    const manifests = parseManifests(file(pod(), project(), project({}, { name: 'other' })))
    expect(manifests.map(({ name, engine }) => [name, engine])).to.deep.equal([
      ['web', undefined],
      ['shop', 'docker'],
      ['other', 'docker']
    ])
  })

  it('have the same canonical bytes on the node, which never reads Compose', () => {
    const manifest = parseOne(project({ volumes: ['data:/a'] }, volumes))
    const salt = new Uint8Array(32)
    expect(parseCanonical(canonicalBytes(manifest, salt)).manifest).to.deep.equal(manifest)
  })

  it('hand dollars through to the program as they are', () => {
    const manifest = parseOne(
      project({ command: ['$$(A) $$$$ $(A) $1 $'], environment: { A: '$$(B)', B: 'pa$$$$word' } })
    )
    const { pod: made } = toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports: [] })
    expect(made.spec.containers[0]?.args).to.deep.equal(['$(A) $$ $(A) $1 $'])
    expect(made.spec.containers[0]?.env).to.deep.equal([
      { name: 'A', value: '$(B)' },
      { name: 'B', value: 'pa$$word' }
    ])
  })

  it('keep the name of a claim when volumes change their order', () => {
    const claims = (names: readonly string[]) =>
      parseOne(
        project(
          { volumes: names.map((name) => `${name}:/${name}`) },
          {
            volumes: Object.fromEntries(names.map((name) => [name, null]))
          }
        )
      ).claims.map(({ name }) => name)
    expect(claims(['db_data', 'Web.data'])).to.deep.equal(['shop-db-data', 'shop-web-data'])
    expect(claims(['Web.data', 'db_data'])).to.deep.equal(['shop-db-data', 'shop-web-data'])
    const named = {
      volumes: { data: { name: 'kept', labels: { a: 'b' }, driver: 'local', external: false } }
    }
    expect(parseOne(project({ volumes: ['data:/a'] }, named)).claims[0]?.name).to.equal('kept')
  })

  it('read what `docker compose config` prints', () => {
    const manifest = parseOne(`
name: shop
services:
  db:
    command: null
    entrypoint: null
    environment: { POSTGRES_PASSWORD: x }
    image: postgres:17
    networks: { default: null }
    restart: always
    volumes: [{ type: volume, source: data, target: /var/lib/postgresql/data, volume: {} }]
  web:
    command: null
    entrypoint: null
    depends_on: { db: { condition: service_started, required: true } }
    image: nginx:1.27
    networks: { default: null }
    ports: [{ mode: ingress, target: 80, published: "8080", protocol: tcp }]
    restart: always
networks: { default: { name: shop_default, ipam: {} } }
volumes: { data: { name: shop_data } }`)
    expect(manifest.claims.map(({ name }) => name)).to.deep.equal(['shop-data'])
    expect(manifest.ports).to.have.length(1)
  })
})
