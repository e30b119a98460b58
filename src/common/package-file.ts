import { existsSync } from 'node:fs'

/** The folder that holds package.json: the same from the sources, from dist/, and from the bundle of the command. */
const ROOT = findRoot(new URL('.', import.meta.url))

/** A file that is shipped with the package. @param path such as "schemas/config.json" */
export function packageFile(path: string): URL {
  return new URL(path, ROOT)
}

function findRoot(folder: URL): URL {
  const parent = new URL('..', folder)
  return existsSync(new URL('package.json', folder)) || parent.href === folder.href
    ? folder
    : findRoot(parent)
}
