import { configMap, container, deployment, pod, refuseAt, secret } from './fixtures/manifests.ts'

const main = 'spec.containers[0]'
const inMain = (fields: Record<string, unknown>) => pod({ containers: [container(fields)] })

describe('manifest/values', () => {
  const list = (count: number, make: (index: number) => unknown) =>
    Array.from({ length: count }, (_, index) => make(index))
  const labels = Object.fromEntries(list(33, (index) => [`l${index}`, 'x']) as [string, string][])
  const mounted = (mounts: object[]) =>
    pod({ volumes: [{ name: 'v' }], containers: [container({ volumeMounts: mounts })] })
  const items = (...paths: string[]) =>
    pod({
      volumes: [{ name: 'v', configMap: { name: 'c', items: paths.map((path) => ({ key: 'k', path })) } }]
    })
  const invalid: readonly (readonly [what: string, path: string, document: object])[] = [
    ['a name with capitals', 'metadata.name', pod({}, { name: 'Web' })],
    ['a name of 64 characters', 'metadata.name', pod({}, { name: 'x'.repeat(64) })],
    [
      'a missing name',
      'metadata.name',
      { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [container()] } }
    ],
    ['no containers', 'spec.containers', pod({ containers: [] })],
    [
      'nine containers',
      'spec.containers',
      pod({ containers: list(9, (index) => container({ name: `c${index}` })) })
    ],
    [
      'two containers of one name',
      'spec.containers[1].name',
      pod({ containers: [container(), container()] })
    ],
    ['an image that is an option', `${main}.image`, inMain({ image: '--privileged' })],
    ['an image with a line break', `${main}.image`, inMain({ image: 'a\nb' })],
    ['33 labels', 'metadata.labels', pod({}, { labels })],
    ['257 variables', `${main}.env`, inMain({ env: list(257, (index) => ({ name: `V${index}` })) })],
    ['33 ports', `${main}.ports`, inMain({ ports: list(33, (index) => ({ containerPort: index + 1 })) })],
    ['257 arguments', `${main}.args`, inMain({ args: list(257, String) })],
    ['port 99999', `${main}.ports[0].containerPort`, inMain({ ports: [{ containerPort: 99999 }] })],
    [
      'a port declared twice in one pod',
      'spec.containers[1].ports[0].containerPort',
      pod({
        containers: [
          container({ ports: [{ containerPort: 80 }] }),
          container({ name: 'b', ports: [{ containerPort: 80 }] })
        ]
      })
    ],
    [
      'a host port published twice',
      `${main}.ports[1].hostPort`,
      inMain({
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81, hostPort: 8080 }
        ]
      })
    ],
    [
      'a host IP that is none',
      `${main}.ports[0].hostIP`,
      inMain({ ports: [{ containerPort: 80, hostIP: 'localhost' }] })
    ],
    ['a variable name with =', `${main}.env[0].name`, inMain({ env: [{ name: 'A=B' }] })],
    ['a variable set twice', `${main}.env[1].name`, inMain({ env: [{ name: 'A' }, { name: 'A' }] })],
    [
      'a variable with two sources',
      `${main}.env[0]`,
      inMain({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] })
    ],
    ['a variable that is a number', `${main}.env[0].value`, inMain({ env: [{ name: 'A', value: 1 }] })],
    ['envFrom without a source', `${main}.envFrom[0]`, inMain({ envFrom: [{}] })],
    [
      'memory in thousandths of a byte',
      `${main}.resources.limits.memory`,
      inMain({ resources: { limits: { memory: '128m' } } })
    ],
    [
      'a limit too small to start with',
      `${main}.resources.limits.memory`,
      inMain({ resources: { limits: { memory: '1Mi' } } })
    ],
    [
      'more disk than can be counted',
      `${main}.resources.requests.ephemeral-storage`,
      inMain({ resources: { requests: { 'ephemeral-storage': '900Pi' } } })
    ],
    ['a cpu limit of 1m', `${main}.resources.limits.cpu`, inMain({ resources: { limits: { cpu: '1m' } } })],
    [
      'a request above the limit',
      `${main}.resources.requests.cpu`,
      inMain({ resources: { limits: { cpu: 1 }, requests: { cpu: 2 } } })
    ],
    ['a mount of no volume', `${main}.volumeMounts[0].name`, mounted([{ name: 'w', mountPath: '/v' }])],
    ['a mount at /', `${main}.volumeMounts[0].mountPath`, mounted([{ name: 'v', mountPath: '/' }])],
    [
      'a mount with ..',
      `${main}.volumeMounts[0].mountPath`,
      mounted([{ name: 'v', mountPath: '/a/../etc' }])
    ],
    [
      'two mounts at one path',
      `${main}.volumeMounts[1].mountPath`,
      mounted([
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/a/' }
      ])
    ],
    [
      'a volume with two sources',
      'spec.volumes[0]',
      pod({ volumes: [{ name: 'v', emptyDir: {}, secret: { secretName: 's' } }] })
    ],
    ['two volumes of one name', 'spec.volumes[1].name', pod({ volumes: [{ name: 'v' }, { name: 'v' }] })],
    ['a file that leaves its volume', 'spec.volumes[0].configMap.items[0].path', items('a/../../b')],
    ['an absolute file in a volume', 'spec.volumes[0].configMap.items[0].path', items('/etc/passwd')],
    ['a file that is a directory too', 'spec.volumes[0].configMap.items[1].path', items('a', 'a/b')],
    [
      'mode 01000',
      'spec.volumes[0].secret.defaultMode',
      pod({ volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 512 } }] })
    ],
    [
      'runAsGroup without a user',
      `${main}.securityContext.runAsUser`,
      inMain({ securityContext: { runAsGroup: 5 } })
    ],
    [
      'an engine that is no name',
      'metadata.annotations["beemesh.io/engine"]',
      pod({}, { annotations: { 'beemesh.io/engine': '../x' } })
    ],
    [
      'a selector that misses the template',
      'spec.selector.matchLabels.app',
      deployment({ selector: { matchLabels: { app: 'other' } } })
    ],
    [
      'restartPolicy Never in a Deployment',
      'spec.template.spec.restartPolicy',
      deployment({}, { restartPolicy: 'Never' })
    ],
    ['a Secret that is not base64', 'data.k', secret('s', {}, { data: { k: '!' } })],
    [
      'a key in data and binaryData',
      'binaryData.k',
      configMap('c', { k: 'x' }, { binaryData: { k: 'eA==' } })
    ],
    ['a ConfigMap key with a slash', 'data["a/b"]', configMap('c', { 'a/b': 'x' })],
    [
      'a nameserver that is no address',
      'spec.dnsConfig.nameservers[0]',
      pod({ dnsConfig: { nameservers: ['dns'] } })
    ]
  ]
  for (const [what, path, document] of invalid)
    it(`refuses ${what} with its path`, () => {
      refuseAt(path, 'MANIFEST_INVALID', document)
    })
})
