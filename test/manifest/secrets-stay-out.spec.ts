import { inspect } from 'node:util'
import { expect } from 'chai'
import { canonicalBytes, parseCanonical, parseManifests } from '../../src/manifest/index.ts'
import { container, file, parseOne, pod, refusalOf, secret } from './fixtures/manifests.ts'

const PASSWORD = 'hunter2-hunter2'
const BASE64 = Buffer.from(PASSWORD).toString('base64')

/** All that a log or a terminal could show of an error, stack and causes and details included. */
function everythingOf(error: Error): string {
  return `${inspect(error, { depth: 20, showHidden: true })}${error.stack ?? ''}${JSON.stringify(error)}`
}

describe('manifest/secrets stay out of errors', () => {
  const yamlSecret = (body: string) => `kind: Secret\napiVersion: v1\nmetadata: { name: s }\n${body}`
  const user = pod({ containers: [container({ envFrom: [{ secretRef: { name: 's' } }] })] })
  const cases: readonly (readonly [what: string, text: string])[] = [
    ['a syntax error beside it', yamlSecret(`stringData:\n  pw: ${PASSWORD}\n bad: [`)],
    ['an unquoted alias', yamlSecret(`stringData: { pw: *${PASSWORD} }`)],
    ['an unquoted tag', yamlSecret(`stringData: { pw: !${PASSWORD} x }`)],
    ['a verbatim tag', yamlSecret(`stringData: { pw: !<${PASSWORD}> x }`)],
    ['a tag handle', yamlSecret(`stringData: { pw: !${PASSWORD}!x y }`)],
    ['a key twice', yamlSecret(`stringData: { pw: ${PASSWORD}, pw: ${PASSWORD} }`)],
    ['an unclosed quote', yamlSecret(`stringData: { pw: "${PASSWORD} }`)],
    ['the wrong type around it', yamlSecret(`stringData: [${PASSWORD}]`)],
    ['a list inside', yamlSecret(`stringData: { pw: [${PASSWORD}] }`)],
    ['a control character', yamlSecret(`stringData: { pw: "${PASSWORD}\\0" }`)],
    ['data that is no base64', yamlSecret(`data: { pw: "${PASSWORD}!" }`)],
    ['an unknown field', yamlSecret(`pw: ${PASSWORD}`)],
    ['an unknown field of the type', yamlSecret(`type: ${PASSWORD}`)],
    ['nobody to use it', yamlSecret(`data: { pw: ${BASE64} }`)],
    [
      'a NUL after decoding',
      file(user, secret('s', {}, { data: { pw: Buffer.from(`${PASSWORD}\0`).toString('base64') } }))
    ],
    [
      'a variable that is no text',
      file(pod({ containers: [container({ env: [{ name: 'A', value: [PASSWORD] }] })] }))
    ],
    [
      'a variable with a misspelt field',
      file(pod({ containers: [container({ env: [{ name: 'A', vlaue: PASSWORD }] })] }))
    ],
    [
      'a variable with two sources',
      file(pod({ containers: [container({ env: [{ name: 'A', value: PASSWORD, valueFrom: {} }] })] }))
    ],
    ['an annotation that is too long', file(pod({}, { annotations: { a: PASSWORD.repeat(2000) } }))],
    [
      'an expansion that is too large',
      file(
        pod({
          containers: [container({ envFrom: [{ secretRef: { name: 's' } }], args: Array(20).fill('$(pw)') })]
        }),
        secret('s', { pw: PASSWORD.repeat(800) })
      )
    ]
  ]
  for (const [what, text] of cases)
    it(`keeps a password out of the error for ${what}`, () => {
      const shown = everythingOf(refusalOf(() => parseManifests(text, { file: 'web.yaml' })))
      expect(shown).to.not.include('hunter2')
      expect(shown).to.not.include(BASE64.slice(0, 8))
    })

  it('keeps a password out of the error of damaged canonical bytes', () => {
    const bytes = canonicalBytes(parseOne(user, secret('s', { pw: PASSWORD })), new Uint8Array(32))
    const text = Buffer.from(bytes).toString()
    for (const damaged of [
      text.slice(0, -3),
      text.replace(`"${PASSWORD}"`, PASSWORD),
      text.replace(`"${PASSWORD}"`, `["${PASSWORD}"]`),
      `${text} `
    ])
      expect(everythingOf(refusalOf(() => parseCanonical(Buffer.from(damaged))))).to.not.include('hunter2')
  })
})
