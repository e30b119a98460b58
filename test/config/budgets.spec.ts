import { expect } from 'chai'
import { CONFIG_SCHEMA, loadConfig, withDefaults } from '../../src/config/index.ts'
import { NEWCOMER_BUDGET, OWNER_BUDGET, STRANGER_BUDGET } from '../../src/wire/doors/doors.ts'
import { PEER_BUDGET } from '../../src/wire/peer-request.ts'

describe('config: budgets', () => {
  it('are by default what the doors have where nobody says anything', () => {
    expect(CONFIG_SCHEMA.properties.budgets!.default).to.deep.equal({
      owners: OWNER_BUDGET,
      strangers: STRANGER_BUDGET,
      newcomers: NEWCOMER_BUDGET,
      nodes: PEER_BUDGET
    })
  })

  it('may be set one by one', () => {
    const owners = { burst: 5, perSecond: 1 }
    expect(withDefaults({ budgets: { owners } }).budgets).to.deep.equal({
      owners,
      strangers: STRANGER_BUDGET,
      newcomers: NEWCOMER_BUDGET,
      nodes: PEER_BUDGET
    })
  })

  it('may come from the environment', async () => {
    const { budgets } = await loadConfig({ env: { BEEMESH_BUDGETS: 'owners=7/3' } })
    expect(budgets.owners).to.deep.equal({ burst: 7, perSecond: 3 })
    expect(budgets.nodes).to.deep.equal(PEER_BUDGET)
  })

  it('are refused when they are none, with where', async () => {
    for (const bad of [
      { owners: { burst: 0, perSecond: 1 } },
      { owners: { burst: 1 } },
      { owners: '0/1' },
      { guests: {} }
    ]) {
      const error = await loadConfig({ env: {}, flags: { budgets: bad as never } }).catch((thrown) => thrown)
      expect(error).to.have.property('code', 'CONFIG_INVALID')
      expect(error.message).to.match(/budgets|guests/)
    }
  })
})
