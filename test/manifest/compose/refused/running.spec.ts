import { project } from '../fixtures.ts'
import { FIELD, INVALID, refuseEach, two } from './cases.ts'

describe('manifest/compose refusals: restarts, limits and rights', () => {
  refuseEach([
    [
      'restarts that differ',
      two({ restart: 'always' }, { restart: 'on-failure' }),
      'services.db.restart',
      'refused',
      FIELD
    ],
    ['a restart at one service', two({ restart: 'always' }, {}), 'services.db.restart', 'refused', FIELD],
    [
      'restarts that are counted',
      project({ restart: 'on-failure:3' }),
      'services.web.restart',
      'refused',
      FIELD
    ],
    ['a restart that is none', project({ restart: 'sometimes' }), 'services.web.restart', 'choice', INVALID],
    [
      'a condition that is none',
      project({ deploy: { restart_policy: { condition: 'x' } } }),
      'services.web.deploy.restart_policy.condition',
      'choice',
      INVALID
    ],
    [
      'limits of processes that differ',
      two({ pids_limit: 5 }, {}),
      'services.db.pids_limit',
      'refused',
      FIELD
    ],
    ['no limit of processes', project({ pids_limit: -1 }), 'services.web.pids_limit', 'refused', FIELD],
    ['too many processes', project({ pids_limit: 99999 }), 'services.web.pids_limit', 'pattern', INVALID],
    ['two replicas', project({ deploy: { replicas: 2 } }), 'services.web.deploy.replicas', 'refused', FIELD],
    ['a limit that is none', project({ cpus: 'many' }), 'services.web.cpus', 'quantity', INVALID],
    ['a limit that is too small', project({ mem_limit: '1m' }), 'services.web.mem_limit', 'minimum', INVALID],
    ['a size that is none', project({ mem_limit: '1 potato' }), 'services.web.mem_limit', 'type', INVALID],
    [
      'a limit twice',
      project({ cpus: 1, deploy: { resources: { limits: { cpus: 1 } } } }),
      'services.web.deploy.resources.limits.cpus',
      'unique',
      INVALID
    ],
    [
      'a reservation above the limit',
      project({ mem_limit: '64m', mem_reservation: '65m' }),
      'services.web.mem_reservation',
      'maximum',
      INVALID
    ],
    ['a user by name', project({ user: 'node' }), 'services.web.user', 'refused', FIELD],
    ['a user out of range', project({ user: '4294967295' }), 'services.web.user', 'maximum', INVALID],
    ['a relative directory', project({ working_dir: 'a' }), 'services.web.working_dir', 'pattern', INVALID],
    [
      'a capability',
      project({ cap_add: ['CHOWN', 'SYS_ADMIN'] }),
      'services.web.cap_add[1]',
      'refused',
      FIELD
    ],
    ['privileged', project({ privileged: true }), 'services.web.privileged', 'refused', FIELD],
    [
      'another profile',
      project({ security_opt: ['seccomp:unconfined'] }),
      'services.web.security_opt[0]',
      'refused',
      FIELD
    ],
    ['a flag that is none', project({ read_only: 'yes' }), 'services.web.read_only', 'type', INVALID],
    [
      'a test of no kind',
      project({ healthcheck: { test: ['curl', 'x'] } }),
      'services.web.healthcheck.test',
      'choice',
      INVALID
    ],
    [
      'a check without test',
      project({ healthcheck: { interval: '1s' } }),
      'services.web.healthcheck',
      'required',
      INVALID
    ],
    [
      'an interval that is none',
      project({ healthcheck: { test: 'a', interval: '5' } }),
      'services.web.healthcheck.interval',
      'type',
      INVALID
    ],
    [
      'too many retries',
      project({ healthcheck: { test: 'a', retries: 99999 } }),
      'services.web.healthcheck.retries',
      'maximum',
      INVALID
    ],
    [
      'too long a grace',
      project({ stop_grace_period: '2h' }),
      'services.web.stop_grace_period',
      'maximum',
      INVALID
    ],
    [
      'labels that differ',
      two({ labels: { a: 'b' } }, { labels: { a: 'c' } }),
      'services.db.labels.a',
      'refused',
      FIELD
    ],
    [
      'a label that Kubernetes does not take',
      project({ labels: ['a=b c'] }),
      'services.web.labels[0]',
      'pattern',
      INVALID
    ],
    [
      'a label of the engine',
      project({ labels: { 'com.docker.x': 'a' } }),
      'services.web.labels["com.docker.x"]',
      'reserved',
      FIELD
    ],
    [
      'a pull policy that builds',
      project({ pull_policy: 'build' }),
      'services.web.pull_policy',
      'refused',
      FIELD
    ]
  ])
})
