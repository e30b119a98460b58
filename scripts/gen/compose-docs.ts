import { PROJECT_FIELDS } from '../../src/manifest/compose/index.ts'

type Fields = typeof PROJECT_FIELDS

const SUPPORT = { honoured: 'honoured', 'by-node': 'by the node', refused: '**refused**' } as const

const INTRO = `## Compose files

A document with \`services\` and without \`apiVersion\` and \`kind\` is a Compose file. It is one manifest: a Pod with a container
for each service, run by the engine \`docker\` unless \`x-beemesh\` names another.

\`\`\`yaml
name: shop
services:
  web:
    image: docker.io/library/nginx:1.27
    ports: ["8080:80"]
    depends_on: [db]
    restart: always
  db:
    image: docker.io/library/postgres:17
    environment: { POSTGRES_PASSWORD: change-me }
    volumes: ["data:/var/lib/postgresql/data"]
    restart: always
volumes:
  data:
x-beemesh: { engine: docker }
\`\`\`

What differs from Compose on one machine:

- **Only the document travels.** Variables (\`\${NAME}\`), \`env_file\`, \`extends\`, \`include\`, \`profiles\` and files are refused;
  \`docker compose config\` prints a file without them. \`$$\` is a \`$\`.
- **The services share one network**, so a name of a service is 127.0.0.1 for the others, and two services cannot listen on
  one port. Networks that would keep services apart are refused.
- **The services are one copy** on one machine, start together, and stop together.
- **The name of the project** is written in the file (\`name:\`), because it names the manifest; so are names of services DNS labels.
- **A new volume is empty**, whatever the image has there.
- **A file is mounted with its directory**, so a config or secret needs a target in a directory of its own.
- **Ports** open where the node opens those of workloads; without a host port the node allocates one.
- **A published port has one host port**, and a range of host ports for one container port is refused.`

/** The section of docs/MANIFESTS.md on Compose files, from the tables of src/manifest/compose/fields. */
export function composeSection(): string {
  const { services, ...others } = PROJECT_FIELDS
  const table = (title: string, fields: Fields) =>
    [`### ${title}`, '', '| field | support | note |', '|---|---|---|', ...rows('', fields)].join('\n')
  return [
    INTRO,
    table('A Compose file', {
      ...(services === undefined ? {} : { services: { support: services.support, note: services.note } }),
      ...others
    }),
    table('A service of a Compose file', services?.entries ?? {})
  ].join('\n\n')
}

function rows(prefix: string, fields: Fields): string[] {
  return Object.entries(fields).flatMap(
    ([name, { support, note, harmless = [], fields: inner, items, entries }]) => {
      const path = `${prefix}${name}`
      const accepted = harmless.filter((value, index) => index === 0 || typeof value !== 'string')
      const but =
        accepted.length === 0 ? '' : ` Accepted: ${accepted.map((value) => `\`${value}\``).join(', ')}.`
      const text =
        note === '' ? '' : `${note.charAt(0).toUpperCase()}${note.slice(1)}.`.replaceAll('|', '\\|')
      return [
        `| \`${path}\` | ${SUPPORT[support]} | ${text}${but} |`,
        ...rows(`${path}.`, inner ?? {}),
        ...rows(`${path}[].`, items ?? {}),
        ...rows(`${path}.*.`, entries ?? {})
      ]
    }
  )
}
