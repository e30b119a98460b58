import { project } from '../fixtures.ts'
import { FIELD, INVALID, MISSING, refuseEach, two } from './cases.ts'

const networks = { networks: { front: null, back: null } }

describe('manifest/compose refusals: ports, hosts and networks', () => {
  refuseEach([
    ['a port that is none', project({ ports: ['http'] }), 'services.web.ports[0]', 'port', INVALID],
    ['a port above 65535', project({ ports: ['70000'] }), 'services.web.ports[0]', 'port', FIELD],
    ['a port of sctp', project({ ports: ['80/sctp'] }), 'services.web.ports[0]', 'port', FIELD],
    ['a range of host ports', project({ ports: ['8000-8010:80'] }), 'services.web.ports[0]', 'port', FIELD],
    ['a range without end', project({ ports: ['1-60000'] }), 'services.web.ports[0]', 'port', FIELD],
    ['a port twice', project({ ports: ['1:80', '2:80'] }), 'services.web.ports[1]', 'unique', INVALID],
    [
      'a port of two services',
      two({ ports: ['1:80'] }, { ports: ['2:80'] }),
      'services.db.ports[0]',
      'shared-port',
      FIELD
    ],
    ['a host port twice', project({ ports: ['1:80', '1:81'] }), 'services.web.ports[1]', 'unique', INVALID],
    ['a host address that is none', project({ ports: ['a.b:1:80'] }), 'services.web.ports[0]', 'ip', INVALID],
    ['a port without target', project({ ports: [{}] }), 'services.web.ports[0].target', 'required', INVALID],
    [
      'host names that differ',
      two({ hostname: 'a' }, { hostname: 'b' }),
      'services.db.hostname',
      'refused',
      FIELD
    ],
    ['a host name that is none', project({ hostname: 'a_b' }), 'services.web.hostname', 'pattern', INVALID],
    [
      'a container name that is no host name',
      project({ container_name: 'a_b' }),
      'services.web.container_name',
      'pattern',
      INVALID
    ],
    [
      'the gateway of the host',
      project({ extra_hosts: ['a:host-gateway'] }),
      'services.web.extra_hosts[0]',
      'refused',
      FIELD
    ],
    [
      'a host without address',
      project({ extra_hosts: { a: 'b' } }),
      'services.web.extra_hosts.a',
      'ip',
      INVALID
    ],
    [
      'a host that is a service',
      project({ extra_hosts: ['web=10.0.0.1'] }),
      'services.web.extra_hosts[0]',
      'unique',
      INVALID
    ],
    [
      'a host at two addresses',
      two({ extra_hosts: ['a=10.0.0.1'] }, { extra_hosts: ['a=10.0.0.2'] }),
      'services.db.extra_hosts[0]',
      'refused',
      FIELD
    ],
    [
      'networks that keep apart',
      two({ networks: ['front'] }, { networks: ['back'] }, networks),
      'services.db.networks',
      'refused',
      FIELD
    ],
    [
      'a network beside the default one',
      two({ networks: ['front'] }, {}, { networks: { front: null } }),
      'services.db.networks',
      'refused',
      FIELD
    ],
    [
      'a network that is not there',
      project({ networks: ['front'] }),
      'services.web.networks[0]',
      'reference',
      MISSING
    ],
    ['a network nobody uses', project({}, networks), 'networks.front', 'unused', INVALID],
    [
      'an internal network',
      project({ networks: ['front'] }, { networks: { front: { internal: true } } }),
      'networks.front.internal',
      'refused',
      FIELD
    ]
  ])
})
