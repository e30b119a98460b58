import { expect } from 'chai'
import { PROJECT_FIELDS } from '../../../../src/manifest/compose/index.ts'
import { NETWORK } from './network.ts'
import { RESOURCES } from './resources.ts'
import { RUNNING } from './running.ts'
import { STORAGE } from './storage.ts'

const FIELDS = { ...RUNNING, ...NETWORK, ...STORAGE, ...RESOURCES }

describe('manifest/compose honoured fields', () => {
  const services = PROJECT_FIELDS.services?.entries ?? {}

  it('are all shown here', () => {
    const honoured = Object.keys(services).filter((name) => services[name]?.support === 'honoured')
    expect(Object.keys(FIELDS)).to.have.members(honoured)
  })

  for (const [name, check] of Object.entries(FIELDS)) it(`makes of ${name} what it says`, check)
})
