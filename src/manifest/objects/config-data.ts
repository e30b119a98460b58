import { utf8 } from '../../common/index.ts'
import type { KubeObject } from '../types.ts'
import { asRecord, asText } from './json.ts'

/** RFC 4648 base64 with padding, as Kubernetes writes it; line breaks are allowed, as `base64` prints them. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The bytes, or undefined when the text is not strict base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replaceAll('\n', '')
  if (!BASE64.test(compact)) return undefined
  const decoded = Buffer.from(compact, 'base64')
  return new Uint8Array(decoded)
}

/**
 * The content of a validated ConfigMap or Secret by key, sorted by key, each in a buffer of its own.
 * @param textOnly leaves out a ConfigMap's binaryData, as Kubernetes does for the environment
 */
export function configData(
  object: KubeObject,
  options: { readonly textOnly?: boolean } = {}
): Map<string, Uint8Array> {
  const isSecret = object.kind === 'Secret'
  const encoded = isSecret
    ? asRecord(object.data)
    : options.textOnly === true
      ? {}
      : asRecord(object.binaryData)
  const plain = isSecret ? asRecord(object.stringData) : asRecord(object.data)
  const content = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(encoded)) {
    const bytes = decodeBase64(asText(value) ?? '')
    if (bytes !== undefined) content.set(key, bytes)
  }
  for (const [key, value] of Object.entries(plain)) content.set(key, utf8(asText(value) ?? ''))
  return new Map([...content].sort(([a], [b]) => (a < b ? -1 : 1)))
}
