import { literal } from '../values/interpolate.ts'
import { splitWords } from '../values/shell-words.ts'
import { itemsOf, pairsOf, type Spot, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, filled } from './draft.ts'

/** command, args and env of the container. */
export function convertProcess(draft: Draft): Fields {
  const { spot, report, trace } = draft
  const entrypoint = wordsOf(under(spot, 'entrypoint'), draft)
  const command = wordsOf(under(spot, 'command'), draft)
  const write = (words: readonly string[] | undefined) =>
    words === undefined || words.length === 0 ? undefined : words.map(literal)
  if (entrypoint?.length === 0) {
    // because an empty entrypoint takes away the image's, what is left is the command
    const at = under(spot, 'command').path
    trace('command', at)
    if (command === undefined || command.length === 0)
      report(under(spot, 'entrypoint').path, 'empty', 'is empty, and there is no command to run instead')
    return { ...defined({ command: write(command) }), ...environment(draft) }
  }
  if (entrypoint === undefined && command?.length === 0)
    report(
      under(spot, 'command').path,
      'empty',
      "is empty, which cannot take the place of the image's; write the entrypoint"
    )
  trace('command', under(spot, 'entrypoint').path)
  trace('args', under(spot, 'command').path)
  return { ...defined({ command: write(entrypoint), args: write(command) }), ...environment(draft) }
}

function wordsOf(spot: Spot, { report }: Draft): readonly string[] | undefined {
  const { value, path } = spot
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') {
    const { words, problem } = splitWords(value)
    if (problem === undefined) return words
    report(path, 'shell-words', problem)
    return undefined
  }
  return itemsOf(spot, report).flatMap((item) => {
    if (typeof item.value === 'string') return [item.value]
    report(item.path, 'type', 'must be a string')
    return []
  })
}

function environment({ spot, report, trace }: Draft): Fields {
  const env: Fields[] = []
  for (const { key, value, path } of pairsOf(under(spot, 'environment'), report)) {
    if (value === undefined) {
      report(
        path,
        'no-value',
        'has no value, and one from the machine that applies does not travel; write it out, or ""',
        { code: 'MANIFEST_UNSUPPORTED_FIELD' }
      )
      continue
    }
    trace(`env[${env.length}]`, path)
    env.push({ name: key, value: literal(value) })
  }
  trace('env', under(spot, 'environment').path)
  return filled('env', env)
}
