import { expect } from 'chai'
import fc from 'fast-check'
import { expandReferences } from '../../../src/manifest/transform/expand.ts'

const VARS: Record<string, string> = { A: 'a', B: '$(A)', EMPTY: '', 'X-Y.Z': 'dashed' }
const expand = (text: string) =>
  expandReferences(text, (name) => (Object.hasOwn(VARS, name) ? VARS[name] : undefined), 1000)

describe('manifest/transform/expand', () => {
  // the cases of Kubernetes' third_party/forked/golang/expansion
  const cases: readonly (readonly [string, string])[] = [
    ['$(A)', 'a'],
    ['x$(A)y', 'xay'],
    ['$(A)$(A)', 'aa'],
    ['$(B)', '$(A)'],
    ['$(EMPTY)', ''],
    ['$(X-Y.Z)', 'dashed'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$$$$(A)', '$$(A)'],
    ['$$A', '$A'],
    ['$(GONE)', '$(GONE)'],
    ['$()', '$()'],
    ['$(A', '$(A'],
    ['$A', '$A'],
    ['foo$', 'foo$'],
    ['$', '$'],
    ['$$', '$'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's form is not ours, which is the point
    ['${A}', '${A}'],
    ['$($(A))', '$($(A))'],
    ['\n$(A)\n', '\na\n'],
    ['', '']
  ]
  for (const [text, expected] of cases)
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(text)}`, () => {
      expect(expand(text)).to.equal(expected)
    })

  it('leaves text without a dollar alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => text.includes('$') || expand(text) === text),
      { seed: 1 }
    )
  })

  it('gives up at the limit', () => {
    expect(expandReferences('$(A)'.repeat(11), () => 'x'.repeat(100), 1000)).to.equal(undefined)
    expect(expandReferences('$(A)'.repeat(10), () => 'x'.repeat(100), 1000)).to.have.length(1000)
  })
})
