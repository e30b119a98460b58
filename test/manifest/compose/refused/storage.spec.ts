import { project } from '../fixtures.ts'
import { FIELD, INVALID, MISSING, refuseEach } from './cases.ts'

const contents = {
  configs: { site: { content: 'a' } },
  volumes: { data: null },
  secrets: { pw: { content: 'a' } }
}

describe('manifest/compose refusals: volumes, configs and secrets', () => {
  refuseEach([
    ['a bind mount', project({ volumes: ['./a:/b'] }), 'services.web.volumes[0]', 'refused', FIELD],
    [
      'a bind mount of the host',
      project({ volumes: ['/a:/b:ro'] }),
      'services.web.volumes[0]',
      'refused',
      FIELD
    ],
    [
      'a bind mount of the home',
      project({ volumes: ['~/a:/b'] }),
      'services.web.volumes[0]',
      'refused',
      FIELD
    ],
    [
      'a bind mount of Windows',
      project({ volumes: ['C:\\a:/b'] }),
      'services.web.volumes[0]',
      'refused',
      FIELD
    ],
    [
      'a long bind mount',
      project({ volumes: [{ type: 'bind', source: '/a', target: '/b' }] }),
      'services.web.volumes[0]',
      'refused',
      FIELD
    ],
    [
      'a pipe',
      project({ volumes: [{ type: 'npipe', target: '/b' }] }),
      'services.web.volumes[0].type',
      'refused',
      FIELD
    ],
    [
      'a volume that is not there',
      project({ volumes: ['a:/b'] }),
      'services.web.volumes[0]',
      'reference',
      MISSING
    ],
    [
      'a relabelled volume',
      project({ volumes: ['data:/b:z'] }, { volumes: contents.volumes }),
      'services.web.volumes[0]',
      'refused',
      FIELD
    ],
    [
      'a mount at the root',
      project({ volumes: ['data:/'] }, { volumes: contents.volumes }),
      'services.web.volumes[0]',
      'path',
      INVALID
    ],
    [
      'two mounts at one place',
      project({ volumes: ['/a'], tmpfs: '/a' }),
      'services.web.tmpfs',
      'unique',
      INVALID
    ],
    ['a mode of a tmpfs', project({ tmpfs: '/a:mode=700' }), 'services.web.tmpfs', 'refused', FIELD],
    ['a volume nobody uses', project({}, { volumes: contents.volumes }), 'volumes.data', 'unused', INVALID],
    [
      'two volumes of one claim',
      project({ volumes: ['a_b:/a', 'a-b:/b'] }, { volumes: { a_b: null, 'a-b': null } }),
      'volumes.a-b',
      'unique',
      INVALID
    ],
    ['a config nobody uses', project({}, { configs: contents.configs }), 'configs.site', 'unused', INVALID],
    [
      'a config at the root',
      project({ configs: ['site'] }, { configs: contents.configs }),
      'services.web.configs[0]',
      'target',
      FIELD
    ],
    [
      'a config among others',
      project({ configs: [{ source: 'site', target: '/etc/site' }] }, { configs: contents.configs }),
      'services.web.configs[0].target',
      'target',
      FIELD
    ],
    [
      'a config that is not there',
      project({ configs: ['x'] }),
      'services.web.configs[0]',
      'reference',
      MISSING
    ],
    [
      'a config without content',
      project({ configs: [{ source: 'a', target: '/etc/a/b' }] }, { configs: { a: {} } }),
      'configs.a.content',
      'required',
      INVALID
    ],
    [
      'a mode that is none',
      project({ secrets: [{ source: 'pw', mode: '0999' }] }, { secrets: contents.secrets }),
      'services.web.secrets[0].mode',
      'mode',
      INVALID
    ],
    [
      'a secret of a file',
      project({ secrets: ['pw'] }, { secrets: { pw: { file: './pw' } } }),
      'secrets.pw.file',
      'refused',
      FIELD
    ],
    [
      'an external secret',
      project({ secrets: ['pw'] }, { secrets: { pw: { external: true } } }),
      'secrets.pw.external',
      'refused',
      FIELD
    ]
  ])
})
