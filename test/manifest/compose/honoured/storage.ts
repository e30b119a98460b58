import { expect } from 'chai'
import { convert, project } from '../fixtures.ts'
import type { FieldChecks } from './field-checks.ts'

const volumes = { volumes: { data: null } }
const configs = { configs: { site: { content: 'a $$x' } } }
const secrets = { secrets: { pw: { content: 'hunter2' } } }

/** What services find in their file systems. */
export const STORAGE: FieldChecks = {
  volumes: () => {
    const { spec, web, objects } = convert(
      project({ volumes: ['data:/a', 'data:/b:ro', '/c', { type: 'tmpfs', target: '/d' }] }, volumes)
    )
    expect(web.volumeMounts).to.deep.equal([
      { name: 'data', mountPath: '/a' },
      { name: 'data', mountPath: '/b', readOnly: true },
      { name: 'web-scratch', mountPath: '/c' },
      { name: 'web-tmpfs', mountPath: '/d' }
    ])
    expect(spec.volumes).to.deep.equal([
      { name: 'data', persistentVolumeClaim: { claimName: 'shop-data' } },
      { name: 'web-scratch', emptyDir: {} },
      { name: 'web-tmpfs', emptyDir: { medium: 'Memory' } }
    ])
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([
      'Pod shop',
      'PersistentVolumeClaim shop-data'
    ])
    const long = { type: 'volume', source: 'data', target: '/a', read_only: true, volume: { nocopy: true } }
    expect(convert(project({ volumes: [long] }, volumes)).web.volumeMounts).to.deep.equal([
      { name: 'data', mountPath: '/a', readOnly: true }
    ])
  },
  tmpfs: () => {
    const { spec, web } = convert(project({ tmpfs: ['/run', '/tmp:size=1m'] }))
    expect(web.volumeMounts?.map(({ mountPath }) => mountPath)).to.deep.equal(['/run', '/tmp'])
    expect(spec.volumes?.map(({ emptyDir }) => emptyDir)).to.deep.equal([
      { medium: 'Memory' },
      { medium: 'Memory', sizeLimit: 2 ** 20 }
    ])
    expect(convert(project({ tmpfs: '/run' })).web.volumeMounts).to.have.length(1)
  },
  configs: () => {
    const long = { source: 'site', target: '/etc/web/site.conf', mode: '0440' }
    const { spec, web, objects } = convert(project({ configs: [long] }, configs))
    expect(web.volumeMounts).to.deep.equal([{ name: 'web-configs', mountPath: '/etc/web', readOnly: true }])
    expect(spec.volumes?.[0]?.configMap).to.deep.equal({
      name: 'shop-configs',
      items: [{ key: 'site', path: 'site.conf', mode: 0o440 }]
    })
    expect(objects[1]).to.deep.include({ kind: 'ConfigMap', data: { site: 'a $x' } })
  },
  secrets: () => {
    const { spec, web, objects } = convert(
      project({ secrets: ['pw', { source: 'pw', target: 'again' }] }, secrets)
    )
    expect(web.volumeMounts).to.deep.equal([
      { name: 'web-secrets', mountPath: '/run/secrets', readOnly: true }
    ])
    expect(spec.volumes?.[0]?.secret).to.deep.equal({
      secretName: 'shop-secrets',
      items: [
        { key: 'pw', path: 'pw' },
        { key: 'pw', path: 'again' }
      ]
    })
    expect(objects[1]).to.deep.include({ kind: 'Secret', stringData: { pw: 'hunter2' } })
  }
}
