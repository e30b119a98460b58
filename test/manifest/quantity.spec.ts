import { expect } from 'chai'
import { parseCpuMillis, parseMemoryBytes } from '../../src/manifest/index.ts'

describe('manifest/quantity', () => {
  const cpu: readonly (readonly [string | number, number | undefined])[] = [
    ['500m', 500],
    ['0.5', 500],
    [0.5, 500],
    [2, 2000],
    ['1', 1000],
    ['.5', 500],
    ['.', undefined],
    ['1.', 1000],
    ['0.001', 1],
    ['0.0001', undefined],
    ['1k', 1_000_000],
    ['1e1', 10_000],
    ['500000u', 500],
    ['-1', undefined],
    ['', undefined],
    ['1 m', undefined],
    ['m', undefined],
    ['0x10', undefined],
    ['1e99', undefined],
    ['1e-99', undefined],
    ['NaN', undefined]
  ]
  for (const [written, millis] of cpu)
    it(`reads ${JSON.stringify(written)} cores as ${millis ?? 'nothing'}${millis === undefined ? '' : 'm'}`, () => {
      expect(parseCpuMillis(written)).to.equal(millis)
    })

  const memory: readonly (readonly [string | number, number | undefined])[] = [
    ['64Mi', 67_108_864],
    ['1.5Gi', 1_610_612_736],
    ['1G', 1e9],
    ['100k', 100_000],
    [1048576, 1_048_576],
    ['129e6', 129_000_000],
    ['1E3', 1000],
    ['0.1Ki', undefined],
    ['128m', undefined],
    ['128000m', 128],
    ['64mi', undefined],
    ['64MB', undefined],
    ['1Pi', 2 ** 50],
    ['2Pi', undefined],
    ['1Ti', 2 ** 40],
    ['1E', undefined],
    ['9'.repeat(40), undefined]
  ]
  for (const [written, bytes] of memory)
    it(`reads ${JSON.stringify(written).slice(0, 20)} memory as ${bytes ?? 'nothing'}`, () => {
      expect(parseMemoryBytes(written)).to.equal(bytes)
    })
})
