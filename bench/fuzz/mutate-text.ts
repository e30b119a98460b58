import type { Random } from './types.ts'

/** What parsers, maps, terminals and shells are known to stumble over. */
export const HOSTILE: readonly string[] = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '"__proto__": {"polluted": true}'
  ],
  ...[
    '&a',
    '*a',
    '<<: *a',
    '!!binary "AA=="',
    '!!js/function x',
    '!<tag:x>',
    '? ',
    '- - - ',
    '---\n',
    '...\n',
    '%YAML 9.9\n'
  ],
  ...[
    'null',
    '~',
    'true',
    'yes',
    '.nan',
    '-.inf',
    '-0',
    '0777',
    '0o7',
    '0x7fffffffffffffff',
    '1e400',
    '9007199254740993',
    '1_000'
  ],
  ...[
    '\u0000',
    '\u001b[31m',
    '\u202e',
    '\u2028',
    '\ufeff',
    '\u00a0',
    '\ud83d\ude00',
    '\\ud800',
    '\\u0000',
    '\r\n',
    '\t',
    '\u0085',
    'ﬃ',
    'İ'
  ],
  ...[
    '../../etc/passwd',
    '/dev/sda',
    '$(id)',
    '`id`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose's own variables
    '${A:-${A:-x}}',
    '${',
    '$$',
    '--privileged',
    '%s%n',
    "'; x",
    '{{ .Values }}'
  ],
  ...[
    '18446744073709551616',
    '-1',
    '1.5',
    '9'.repeat(400),
    '1Ei',
    '1e3m',
    '0.0000001',
    '* * * * *',
    '@every 1ns',
    '60 24 32 13 8'
  ],
  ...[
    '[',
    '{',
    '"',
    "'",
    '|',
    '>',
    ':',
    ',',
    '#',
    '[]',
    '{}',
    '""',
    ' ',
    '\n',
    '\n  ',
    'a: b: c',
    '/ip4/1.2.3.4/tcp/1',
    '12D3KooW'
  ]
]
/** Each opens something that wants to be closed. */
const OPENERS = [
  '[',
  '{"a":',
  '- ',
  '? ',
  '{a: ',
  '[[',
  '"',
  '\n  a:',
  '${A:-',
  '- - ',
  '!!x ',
  '&a [',
  '(',
  '>-\n '
]

type Mutation = (text: string, random: Random, other: string) => string

/** One change to a text that a person, or somebody who pretends to be one, wrote. */
export const TEXT_MUTATIONS: readonly Mutation[] = [
  (text, random) => replaceToken(text, random, () => HOSTILE[random(HOSTILE.length)]!),
  (text, random) => replaceToken(text, random, () => HOSTILE[random(HOSTILE.length)]!),
  (text, random) => replaceToken(text, random, (token) => token + token),
  (text, random) => replaceToken(text, random, () => ''),
  (text, random) => replaceToken(text, random, () => tokenOf(text, random)),
  (text, random, other) => replaceToken(text, random, () => tokenOf(other, random)),
  (text, random) => replaceToken(text, random, (token) => token.repeat(1 + random(300))),
  (text, random) =>
    replaceToken(text, random, () => OPENERS[random(OPENERS.length)]!.repeat(1 + random(2000))),
  (text, random) => insert(text, random, `${'k'.repeat(1 + random(5000))}: 1\n`),
  (text, random) => insert(text, random, HOSTILE[random(HOSTILE.length)]!),
  (text, random) => editLines(text, random, (lines, at) => lines.splice(at, 1)),
  (text, random) =>
    editLines(text, random, (lines, at) => lines.splice(at, 0, ...lines.slice(at, at + 1 + random(6)))),
  (text, random) => editLines(text, random, (lines, at) => lines.splice(at, 0, lines[random(lines.length)]!)),
  (text, random) =>
    editLines(text, random, (lines, at) => {
      lines[at] = random(2) === 0 ? `${' '.repeat(random(5))}${lines[at]}` : lines[at]!.trimStart()
    }),
  (text, random, other) => text.slice(0, random(text.length + 1)) + other.slice(random(other.length + 1)),
  (text, random) => text.slice(0, random(text.length + 1)),
  (text, random) => manyLines(text, random)
]

/** Words, and the marks between them. */
const TOKEN = /[\w.\-/@]+|[^\w\s]/g

function tokenOf(text: string, random: Random): string {
  return spotOf(text, random)?.[0] ?? ''
}

/** The first token at or after a random place: the text is not split as a whole, because it may be long. */
function spotOf(text: string, random: Random): RegExpExecArray | null {
  TOKEN.lastIndex = random(text.length + 1)
  return TOKEN.exec(text)
}

function replaceToken(text: string, random: Random, by: (token: string) => string): string {
  const spot = spotOf(text, random)
  if (spot === null) return text
  return text.slice(0, spot.index) + by(spot[0]) + text.slice(spot.index + spot[0].length)
}

function insert(text: string, random: Random, what: string): string {
  const at = random(text.length + 1)
  return text.slice(0, at) + what + text.slice(at)
}

function editLines(text: string, random: Random, edit: (lines: string[], at: number) => void): string {
  const lines = text.split('\n')
  edit(lines, random(lines.length))
  return lines.join('\n')
}

/** One line again and again, each time with another number in it, so that duplicate keys do not end it early. */
function manyLines(text: string, random: Random): string {
  const lines = text.split('\n')
  const at = random(lines.length)
  const line = lines[at]!
  const times = random(8) === 0 ? 2000 : 20
  const more = Array.from({ length: times }, (_, count) => line.replace(/(\w)(?=\W*(:|$))/, `$1${count}`))
  return [...lines.slice(0, at), ...more, ...lines.slice(at)].join('\n')
}
