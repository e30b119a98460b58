/** An image by its full name, as a registry knows it. */
export interface ImageReference {
  /** With its port; undefined where none is written, and each engine takes another one. */
  readonly registry?: string
  /** Path below the registry, such as `library/nginx`. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

/** Docker's own registry, and the name it had before. */
const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_BEFORE = 'index.docker.io'

// Source: the grammar of distribution/reference, https://pkg.go.dev/github.com/distribution/reference
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const DOMAIN =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^sha256:[a-f0-9]{64}$/

/**
 * Reads an image's name as engines do: the part before the first slash is a registry when it has a dot, a port or a capital, or is
 * `localhost`; `index.docker.io` is `docker.io`, and `docker.io/nginx` is `docker.io/library/nginx`.
 * @returns undefined for what no engine takes for a name, such as a path with `..`
 */
export function parseImage(text: string): ImageReference | undefined {
  const [name = '', digest, ...more] = text.split('@')
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined
  const [first = '', ...others] = name.split('/')
  const isDomain = others.length > 0 && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first))
  if (isDomain && !DOMAIN.test(first)) return undefined
  const [path, tag] = splitTag(isDomain ? others.join('/') : name)
  if (!path.split('/').every((part) => COMPONENT.test(part)) || (tag !== undefined && !TAG.test(tag)))
    return undefined
  const registry = first === DOCKER_HUB_BEFORE ? DOCKER_HUB : first
  const isOfficial = isDomain && registry === DOCKER_HUB && !path.includes('/')
  return {
    ...(isDomain ? { registry } : {}),
    repository: isOfficial ? `library/${path}` : path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest })
  }
}

function splitTag(path: string): [path: string, tag?: string] {
  const at = path.indexOf(':')
  return at < 0 ? [path] : [path.slice(0, at), path.slice(at + 1)]
}

/**
 * Whether an image is below one of these: a registry, a registry and the beginning of a path, or one repository. Whole parts between
 * slashes are compared, and letters as they are, because engines' own tables of registries tell capitals apart too.
 */
export function isBelow({ registry, repository }: ImageReference, prefixes: readonly string[]): boolean {
  if (registry === undefined) return false
  const parts = [registry, ...repository.split('/')]
  return prefixes.some((prefix) => {
    const wanted = prefix.replace(/\/$/, '').split('/')
    return wanted.length <= parts.length && wanted.every((part, index) => part === parts[index])
  })
}
