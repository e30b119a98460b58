import { expect } from 'chai'
import fc from 'fast-check'
import { splitWords } from '../../../src/manifest/compose/values/shell-words.ts'

describe('manifest/compose/splitWords', () => {
  const cases: readonly (readonly [text: string, words: readonly string[]])[] = [
    ['', []],
    ['  a \t b\nc ', ['a', 'b', 'c']],
    [`a'b c'"d e"f`, ['ab cd ef']],
    [`'' ""`, ['', '']],
    ['a\\ b \\"', ['a b', '"']],
    ['"a\\"b \\$ \\n \\\\"', ['a"b $ \\n \\']],
    [`'a\\'`, ['a\\']],
    ['a\\\nb', ['ab']],
    ['$A `b` *.c #d ~', ['$A', '`b`', '*.c', '#d', '~']],
    [`sh -c 'a; b | c > d'`, ['sh', '-c', 'a; b | c > d']]
  ]
  for (const [text, words] of cases)
    it(`splits ${JSON.stringify(text)}`, () => {
      expect(splitWords(text)).to.deep.equal({ words })
    })

  for (const text of ["a 'b", 'a "b', 'a\\', 'a; b', 'a&b', 'a | b', 'a <b', 'a >b'])
    it(`says what is wrong with ${JSON.stringify(text)}`, () => {
      expect(splitWords(text)).to.have.property('problem')
    })

  it('gives back words that were quoted, whatever they hold', () => {
    const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
        expect(splitWords(words.map(quote).join(' '))).to.deep.equal({ words })
      }),
      { seed: 1 }
    )
  })
})
