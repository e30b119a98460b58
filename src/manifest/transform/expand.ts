/** Looks up a variable; undefined leaves the reference as it is. */
export type Lookup = (name: string) => string | undefined

/**
 * Replaces `$(NAME)` as Kubernetes does: `$$` is a literal `$`, an unknown name stays as written, nothing is replaced
 * twice. Podman before 4.7 does none of this, and later
 * ones only in command and args (github.com/containers/podman/issues/15983), where they would replace what is left a second time.
 * @param maxBytes length in UTF-16 units at which to give up
 * @returns undefined when the result is longer than that
 */
export function expandReferences(text: string, lookup: Lookup, maxBytes: number): string | undefined {
  let result = ''
  let position = 0
  while (position < text.length && result.length <= maxBytes) {
    const dollar = text.indexOf('$', position)
    if (dollar === -1 || dollar === text.length - 1) return limit(result + text.slice(position), maxBytes)
    result += text.slice(position, dollar)
    const next = text[dollar + 1]
    if (next === '$') {
      result += '$'
      position = dollar + 2
      continue
    }
    const end = next === '(' ? text.indexOf(')', dollar + 2) : -1
    if (end === -1) {
      // a lone dollar, or an opening without an end, is text
      result += next === '(' ? '$(' : `$${next}`
      position = dollar + 2
      continue
    }
    const name = text.slice(dollar + 2, end)
    result += lookup(name) ?? `$(${name})`
    position = end + 1
  }
  return limit(result, maxBytes)
}

function limit(text: string, maxBytes: number): string | undefined {
  return text.length > maxBytes ? undefined : text
}
