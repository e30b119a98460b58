import { db, project } from '../fixtures.ts'
import { FIELD, INVALID, MISSING, refuseEach, two } from './cases.ts'

describe('manifest/compose refusals: what waits for what', () => {
  refuseEach([
    [
      'a dependency on nobody',
      project({ depends_on: ['x'] }),
      'services.web.depends_on[0]',
      'reference',
      MISSING
    ],
    [
      'a dependency on oneself',
      project({ depends_on: ['web'] }),
      'services.web.depends_on[0]',
      'cycle',
      INVALID
    ],
    [
      'dependencies that go round',
      two({ depends_on: ['db'] }, { depends_on: { web: {} } }),
      'services.db.depends_on.web',
      'cycle',
      INVALID
    ],
    [
      'a condition nobody knows',
      two({ depends_on: { db: { condition: 'x' } } }, {}),
      'services.web.depends_on.db.condition',
      'choice',
      INVALID
    ],
    [
      'health without restarts',
      two({ depends_on: { db: { condition: 'service_healthy' } } }, {}),
      'services.web.depends_on.db',
      'refused',
      FIELD
    ],
    [
      'a first service that needs one that stays',
      project(
        { depends_on: { setup: { condition: 'service_completed_successfully' } } },
        {},
        { db: db(), setup: db({ depends_on: ['db'] }) }
      ),
      'services.setup.depends_on[0]',
      'refused',
      FIELD
    ],
    [
      'a first service with ports',
      two({ depends_on: { db: { condition: 'service_completed_successfully' } } }, { ports: ['80'] }),
      'services.db.ports',
      'refused',
      FIELD
    ],
    [
      'a first service with a check',
      two(
        { depends_on: { db: { condition: 'service_completed_successfully' } } },
        { healthcheck: { test: 'a' } }
      ),
      'services.db.healthcheck',
      'refused',
      FIELD
    ],
    [
      'a first service that restarts',
      two({ depends_on: { db: { condition: 'service_completed_successfully' } } }, { restart: 'always' }),
      'services.db.restart',
      'refused',
      FIELD
    ]
  ])
})
