import { expect } from 'chai'
import { convert, db, project } from '../fixtures.ts'
import type { FieldChecks } from './field-checks.ts'

/** How services are reached and find each other. */
export const NETWORK: FieldChecks = {
  ports: () => {
    const of = (...ports: unknown[]) => convert(project({ ports })).web.ports
    const tcp = { containerPort: 80, protocol: 'TCP' }
    expect(of('80')).to.deep.equal([tcp])
    expect(of(80)).to.deep.equal([tcp])
    expect(of('0:80')).to.deep.equal([tcp])
    expect(of('8080:80', '53:53/udp')).to.deep.equal([
      { ...tcp, hostPort: 8080 },
      { containerPort: 53, protocol: 'UDP', hostPort: 53 }
    ])
    expect(of('127.0.0.1:8080:80')).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '127.0.0.1' }])
    expect(of('[::1]:8080:80')).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '::1' }])
    expect(of('::1:8080:80')).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '::1' }])
    expect(of('127.0.0.1::80')).to.deep.equal([{ ...tcp, hostIP: '127.0.0.1' }])
    expect(of('9080-9081:80-81')).to.deep.equal([
      { ...tcp, hostPort: 9080 },
      { ...tcp, containerPort: 81, hostPort: 9081 }
    ])
    expect(of('80-81')).to.deep.equal([tcp, { ...tcp, containerPort: 81 }])
    const long = { target: 80, published: '8080', host_ip: '127.0.0.1', protocol: 'tcp', mode: 'ingress' }
    expect(of(long)).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '127.0.0.1' }])
    expect(of({ target: 80, app_protocol: 'http', name: 'web' })).to.deep.equal([tcp])
  },
  networks: () => {
    const aliases = { front: { aliases: ['shop.example'] } }
    const { spec } = convert(
      project(
        { networks: aliases },
        { networks: { front: null, back: null } },
        { db: db({ networks: ['back', 'front'] }) }
      )
    )
    expect(spec.hostAliases).to.deep.equal([{ ip: '127.0.0.1', hostnames: ['web', 'shop.example', 'db'] }])
    expect(convert(project({ networks: { default: null } }, { networks: { default: { name: 'x' } } })).spec)
      .to.have.property('hostAliases')
      .with.length(1)
  },
  container_name: () => {
    expect(convert(project({ container_name: 'shop-web' })).spec.hostAliases).to.deep.equal([
      { ip: '127.0.0.1', hostnames: ['web', 'shop-web'] }
    ])
  },
  hostname: () => {
    const { spec } = convert(project({ hostname: 'front' }, {}, { db: db() }))
    expect(spec.hostname).to.equal('front')
    expect(spec.hostAliases).to.deep.equal([{ ip: '127.0.0.1', hostnames: ['web', 'front', 'db'] }])
  },
  extra_hosts: () => {
    const expected = [
      { ip: '127.0.0.1', hostnames: ['web'] },
      { ip: '10.0.0.1', hostnames: ['a', 'b'] },
      { ip: '::1', hostnames: ['c'] }
    ]
    for (const extra_hosts of [
      ['a=10.0.0.1', 'b:10.0.0.1', 'c=[::1]'],
      { a: '10.0.0.1', b: ['10.0.0.1'], c: '::1' }
    ])
      expect(convert(project({ extra_hosts })).spec.hostAliases).to.deep.equal(expected)
  }
}
