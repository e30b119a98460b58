import { db, project } from '../fixtures.ts'
import { FIELD, INVALID, refuseEach } from './cases.ts'

/** A variable in braces. */
const braced = (name: string) => `\${${name}}`

describe('manifest/compose refusals: services, images and commands', () => {
  refuseEach([
    ['no name', { services: { web: { image: 'a' } } }, 'name', 'required', INVALID],
    ['a name that is no DNS label', project({}, { name: 'my_shop' }), 'name', 'pattern', INVALID],
    ['no service', { name: 'shop', services: {} }, 'services', 'minItems', INVALID],
    ['services that are a list', { name: 'shop', services: [] }, 'services', 'type', INVALID],
    ['a service without fields', project({}, {}, { db: null }), 'services.db', 'type', INVALID],
    [
      'a service name that is no DNS label',
      project({}, {}, { my_db: db() }),
      'services.my_db',
      'pattern',
      INVALID
    ],
    [
      'nine services',
      project({}, {}, Object.fromEntries('abcdefgh'.split('').map((name) => [name, db()]))),
      'services',
      'maxItems',
      INVALID
    ],
    [
      'seventeen services',
      project({}, {}, Object.fromEntries('abcdefghijklmnop'.split('').map((name) => [name, db()]))),
      'services',
      'maxItems',
      INVALID
    ],
    ['no image', project({ image: null }), 'services.web.image', 'required', INVALID],
    ['an image that is none', project({ image: '--x' }), 'services.web.image', 'pattern', INVALID],
    ['build', project({ build: '.' }), 'services.web.build', 'refused', FIELD],
    ['a variable', project({ image: `a:${braced('TAG')}` }), 'services.web.image', 'interpolation', FIELD],
    [
      'a variable without braces',
      project({ command: ['a', '$TAG'] }),
      'services.web.command[1]',
      'interpolation',
      FIELD
    ],
    [
      'a variable with a default',
      project({ user: braced('U:-1') }),
      'services.web.user',
      'interpolation',
      FIELD
    ],
    [
      'a variable from the machine',
      project({ environment: { A: null } }),
      'services.web.environment.A',
      'no-value',
      FIELD
    ],
    ['one in a list', project({ environment: ['A'] }), 'services.web.environment[0]', 'no-value', FIELD],
    [
      'a variable of a bad name',
      project({ environment: ['1A=x'] }),
      'services.web.environment[0]',
      'pattern',
      INVALID
    ],
    [
      'a variable twice',
      project({ environment: ['A=x', 'A=y'] }),
      'services.web.environment[1]',
      'unique',
      INVALID
    ],
    [
      'a map as a variable',
      project({ environment: { A: {} } }),
      'services.web.environment.A',
      'type',
      INVALID
    ],
    ['a shell in a command', project({ command: 'a | b' }), 'services.web.command', 'shell-words', INVALID],
    ['a number in a command', project({ command: ['a', 1] }), 'services.web.command[1]', 'type', INVALID],
    ['an empty command', project({ command: [] }), 'services.web.command', 'empty', INVALID],
    ['an empty entrypoint alone', project({ entrypoint: [] }), 'services.web.entrypoint', 'empty', INVALID]
  ])
})
