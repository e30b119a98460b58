import { project } from '../fixtures.ts'
import { FIELD, INVALID, refuseEach } from './cases.ts'

describe('manifest/compose refusals: x-beemesh', () => {
  refuseEach([
    [
      'an engine that is no name',
      project({}, { 'x-beemesh': { engine: 'Dock er' } }),
      'x-beemesh.engine',
      'pattern',
      INVALID
    ],
    [
      'a namespace that is none',
      project({}, { 'x-beemesh': { namespace: 'A' } }),
      'x-beemesh.namespace',
      'pattern',
      INVALID
    ],
    [
      'an annotation of others',
      project({}, { 'x-beemesh': { annotations: { a: 'b' } } }),
      'x-beemesh.annotations.a',
      'choice',
      INVALID
    ],
    [
      'an annotation of nobody',
      project({}, { 'x-beemesh': { annotations: { 'beemesh.io/x': 'b' } } }),
      'x-beemesh.annotations["beemesh.io/x"]',
      'reserved',
      FIELD
    ],
    [
      'the engine as an annotation',
      project({}, { 'x-beemesh': { annotations: { 'beemesh.io/engine': 'a' } } }),
      'x-beemesh.annotations["beemesh.io/engine"]',
      'unique',
      INVALID
    ]
  ])
})
