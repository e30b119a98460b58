import { expect } from 'chai'
import { type Lost, loseInTurn } from './rounds.ts'

const text = ({ machine, lines }: Lost) => `${machine}: ${lines.join('; ')}`

describe('simulation: a machine is lost', function () {
  this.timeout(60_000)

  // a death is noticed after 0.3 s here when it was told, and after 4.5 s of silence; a keeper looks every 2 s beside
  for (const [how, noticedMs] of [
    ['process killed', 300],
    ['power gone', 4_500]
  ] as const)
    it(`bids are asked for at once when it is noticed, whatever keepers were about to do: ${how}`, async () => {
      for (const seed of [1, 4, 8]) {
        const all = await loseInTurn({ seed, nodes: 5, rounds: 5, how })
        const late = all.filter(({ askedMs = 1e9 }) => askedMs > noticedMs + 400)
        expect(late.map(text), `seed ${seed}`).to.deep.equal([])
        expect(all.filter(({ healedMs }) => healedMs === undefined).map(text)).to.deep.equal([])
      }
    })
})
