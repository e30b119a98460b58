/** What a shell would act upon, and Compose would cut the command at. */
const OPERATORS = ';&|<>'

export interface ShellWords {
  readonly words: readonly string[]
  /** Why the words are not all there is to it. */
  readonly problem?: string
}

/**
 * Splits a command as a POSIX shell does, quotes and backslashes included, and expands nothing.
 * Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
 */
export function splitWords(text: string): ShellWords {
  const words: string[] = []
  // undefined between words, because '' is a word
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index)
    if (char === '\\' && quote !== "'") {
      const next = text.charAt(index + 1)
      if (next === '') return { words, problem: 'ends with a backslash' }
      const escapes = quote === '' || '$`"\\\n'.includes(next)
      index += 1
      // a backslash before a newline joins two lines
      if (next !== '\n') word = `${word ?? ''}${escapes ? '' : '\\'}${next}`
    } else if (quote !== '') {
      if (char === quote) quote = ''
      else word = `${word ?? ''}${char}`
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (OPERATORS.includes(char)) {
      return {
        words,
        problem: 'has ; & | < or > outside quotes, but no shell runs it; quote it, or write [sh, -c, …]'
      }
    } else word = `${word ?? ''}${char}`
  }
  if (quote !== '') return { words, problem: 'has a quote that does not end' }
  if (word !== undefined) words.push(word)
  return { words }
}
