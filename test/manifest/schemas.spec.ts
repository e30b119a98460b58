import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { CONFIG_SCHEMA } from '../../src/config/load-config.ts'
import { AUTOSCALE_SCHEMA } from '../../src/manifest/autoscale/parse-autoscale.ts'
import { readSchema, SCHEMA_NAMES } from '../../src/manifest/check/check-schema.ts'
import { RULES_SCHEMA } from '../../src/manifest/placement/rules-schema.ts'

describe('schemas', () => {
  // because the product does not look at its own schemas each time it starts
  const schemas: [string, object][] = [
    ['of the configuration', CONFIG_SCHEMA],
    ['of placement rules', RULES_SCHEMA],
    ['of scaling', AUTOSCALE_SCHEMA],
    ...SCHEMA_NAMES.map((name): [string, object] => [`manifest/${name}`, readSchema(name)])
  ]
  const ajv = new Ajv2020({ strict: false })

  for (const [name, schema] of schemas)
    it(`${name} is valid JSON Schema`, () => {
      expect(ajv.validateSchema(schema), JSON.stringify(ajv.errors)).to.equal(true)
    })
})
