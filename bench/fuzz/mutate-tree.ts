import { HOSTILE } from './mutate-text.ts'
import type { Random } from './types.ts'

type Path = readonly (string | number)[]

/** One change to a JSON document that leaves it one: so that what comes after the parser is reached. */
export function mutateTree(text: string, random: Random, other: string): string {
  const root: unknown = JSON.parse(text)
  const path = pathIn(root, random)
  return JSON.stringify(
    edit(root, path, (value) => change(value, random, () => valueIn(JSON.parse(other), random)))
  )
}

function change(value: unknown, random: Random, foreign: () => unknown): unknown {
  switch (random(10)) {
    case 0:
      return undefined
    case 1:
      return [value, value]
    case 2:
      return { [name(random)]: value }
    case 3:
      return foreign()
    case 4:
      return Array.from({ length: 1 + random(random(20) === 0 ? 3000 : 20) }, () => value)
    case 5:
      return nested(value, random)
    case 6:
      return renamed(value, random, name(random))
    case 7:
      return typeof value === 'string' ? spoilt(value, random) : value
    default:
      return scalar(random)
  }
}

function scalar(random: Random): unknown {
  const plain = [
    null,
    true,
    false,
    0,
    -1,
    1,
    1.5,
    65_536,
    2 ** 31,
    2 ** 53,
    -(2 ** 63),
    1e308,
    '',
    [],
    {},
    [[]],
    [null]
  ]
  return random(2) === 0 ? plain[random(plain.length)] : name(random)
}

/** Fields keep their names now and then, so that what is known comes twice or in the wrong place. */
function name(random: Random): string {
  return HOSTILE[random(HOSTILE.length)]!
}

function nested(value: unknown, random: Random): unknown {
  let deep = value
  for (let depth = random(200); depth > 0; depth--) deep = random(2) === 0 ? [deep] : { a: deep }
  return deep
}

function renamed(value: unknown, random: Random, to: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value)
  if (entries.length === 0) return { [to]: 1 }
  const at = random(entries.length)
  return Object.fromEntries(
    entries.flatMap(([key, child], index) =>
      index === at
        ? [
            [key, child],
            [to, child]
          ]
        : [[key, child]]
    )
  )
}

function spoilt(text: string, random: Random): string {
  const at = random(text.length + 1)
  return random(4) === 0 ? text.repeat(random(400)) : text.slice(0, at) + name(random) + text.slice(at)
}

function pathIn(root: unknown, random: Random): Path {
  const path: (string | number)[] = []
  let value = root
  while (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && random(6) !== 0) {
    const entries = Object.entries(value)
    const deeper = entries.filter(([, child]) => typeof child === 'object' && child !== null)
    // because most of a document is below the few fields at its top
    const from = deeper.length > 0 && random(4) !== 0 ? deeper : entries
    const [key, child] = from[random(from.length)]!
    path.push(Array.isArray(value) ? Number(key) : key)
    value = child
  }
  return path
}

function valueIn(root: unknown, random: Random): unknown {
  return pathIn(root, random).reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown>)[key],
    root
  )
}

function edit(root: unknown, [head, ...rest]: Path, by: (value: unknown) => unknown): unknown {
  if (head === undefined) return by(root) ?? null
  if (Array.isArray(root)) return root.with(Number(head), edit(root[Number(head)], rest, by))
  const object = root as Record<string, unknown>
  const child = rest.length === 0 ? by(object[head]) : edit(object[head], rest, by)
  const others = Object.entries(object).filter(([key]) => key !== head)
  return Object.fromEntries(child === undefined ? others : [...others, [head, child]])
}
