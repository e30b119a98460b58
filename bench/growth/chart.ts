import type { Row, Summary } from './summary.ts'

const WIDTH = 720
const PANEL = { height: 300, left: 70, right: 30, top: 44, bottom: 46 } as const

interface Line {
  readonly row: Row
  readonly label: string
  /** Of the palette in {@link STYLE}. */
  readonly colour: 'a' | 'b' | 'c'
}

interface Panel {
  readonly title: string
  readonly lines: readonly Line[]
}

/** Two, because what reaches everybody is so much more that the rest would lie flat on the axis beside it. */
const PANELS: readonly Panel[] = [
  {
    title: 'Announce: DHT and gossip, messages of all nodes together',
    lines: [
      { row: 'announce', label: 'announce', colour: 'a' },
      { row: 'announceDht', label: 'of it the DHT', colour: 'b' }
    ]
  },
  {
    title: 'Lookup, and what of an announcement goes to the DHT',
    lines: [
      { row: 'lookupAll', label: 'lookup, all providers', colour: 'a' },
      { row: 'lookupFirst', label: 'lookup, first provider', colour: 'c' },
      { row: 'announceDht', label: 'announce, the DHT', colour: 'b' }
    ]
  }
]

/** Both themes in one file, because a page shows it as an image and cannot hand its colours in. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 } .title { font-weight: 600; font-size: 13px }
  .axis { stroke: #888 } .grid { stroke: #8884 } .a { --c: #0969da } .b { --c: #bc4c00 } .c { --c: #1a7f37 }
  polyline { fill: none; stroke: var(--c); stroke-width: 2 } .simulated { fill: var(--c) }
  .real { fill: none; stroke: var(--c); stroke-width: 2.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .a { --c: #6cb6ff } .b { --c: #f69d50 } .c { --c: #57ab5a }
  }`

/** Means against log2 of the number of nodes, as SVG: dots are simulated, squares are real. */
export function toChart(real: readonly Summary[], simulated: readonly Summary[]): string {
  const height = PANELS.length * PANEL.height + 24
  const panels = PANELS.map((panel, index) => drawPanel(panel, index * PANEL.height, real, simulated))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    '<title>Messages for each announcement and lookup against the number of nodes</title>',
    `<style>${STYLE}\n</style>`,
    ...panels,
    `<circle class="a simulated" cx="${PANEL.left + 6}" cy="${height - 14}" r="4"/>`,
    `<text x="${PANEL.left + 16}" y="${height - 10}">simulated routing tables</text>`,
    `<rect class="a real" x="${PANEL.left + 190}" y="${height - 19}" width="10" height="10"/>`,
    `<text x="${PANEL.left + 206}" y="${height - 10}">real nodes; the mean of each</text>`,
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel(
  { title, lines }: Panel,
  offset: number,
  real: readonly Summary[],
  simulated: readonly Summary[]
): string {
  const all = [...real, ...simulated]
  const sizes = [...new Set(all.map(({ nodes }) => nodes))].sort((a, b) => a - b)
  const [first, last] = [Math.log2(sizes[0]!), Math.log2(sizes.at(-1)!)]
  const most = Math.max(...lines.flatMap(({ row }) => all.map(({ figures }) => figures[row].mean)))
  const step = niceStep(most)
  const top = Math.ceil(most / step) * step
  const [bottomY, topY] = [offset + PANEL.height - PANEL.bottom, offset + PANEL.top]
  const rightX = WIDTH - PANEL.right
  const x = (nodes: number) =>
    PANEL.left + ((Math.log2(nodes) - first) / (last - first)) * (rightX - PANEL.left)
  const y = (value: number) => bottomY - (value / top) * (bottomY - topY)
  const parts = [`<text class="title" x="${PANEL.left}" y="${offset + 18}">${title}</text>`]
  for (let value = 0; value <= top; value += step)
    parts.push(
      `<line class="grid" x1="${PANEL.left}" x2="${rightX}" y1="${at(y(value))}" y2="${at(y(value))}"/>`,
      `<text x="${PANEL.left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${value}</text>`
    )
  parts.push(`<line class="axis" x1="${PANEL.left}" x2="${rightX}" y1="${bottomY}" y2="${bottomY}"/>`)
  for (const nodes of sizes)
    parts.push(`<text x="${at(x(nodes))}" y="${bottomY + 16}" text-anchor="middle">${nodes}</text>`)
  parts.push(
    `<text x="${(PANEL.left + rightX) / 2}" y="${bottomY + 34}" text-anchor="middle">nodes (logarithmic)</text>`,
    `<text transform="translate(16 ${(bottomY + topY) / 2}) rotate(-90)" text-anchor="middle">messages</text>`
  )
  lines.forEach(({ row, label, colour }, index) => {
    const points = simulated.map(({ nodes, figures }) => [x(nodes), y(figures[row].mean)].map(at))
    parts.push(
      `<g class="${colour}"><polyline points="${points.map(String).join(' ')}"/>`,
      ...points.map(([cx, cy]) => `<circle class="simulated" cx="${cx}" cy="${cy}" r="4"/>`),
      ...real.map(({ nodes, figures }) => {
        const [left, above] = [x(nodes) - 6, y(figures[row].mean) - 6].map(at)
        return `<rect class="real" x="${left}" y="${above}" width="12" height="12"/>`
      }),
      `<text x="${PANEL.left + 12}" y="${topY + 14 + index * 17}" style="fill: var(--c)">${label}</text></g>`
    )
  })
  return parts.join('\n')
}

/** 1, 2 or 5 times a power of ten, so that about five of them reach the top. */
function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 5))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= most / 5)!
}

function at(value: number): number {
  return Math.round(value * 10) / 10
}
