import { expect } from 'chai'
import { toPodmanError } from '../../src/runtime/podman/podman-error.ts'

/** What Podman 4.3.1 wrote, observed 2026-11, and what it means. */
const OBSERVED: readonly (readonly [string, string, string])[] = [
  [
    'Error: adding pod to state: name "rs-p1" is in use: pod already exists',
    'NAME_IN_USE',
    'name "rs-p1" is in use'
  ],
  ['Error: localhost/nope:1: image not known', 'IMAGE_NOT_FOUND', 'localhost/nope:1'],
  [
    'Error: short-name "nginxshort" did not resolve to an alias and no unqualified-search registries are defined',
    'IMAGE_NOT_FOUND',
    'nginxshort'
  ],
  [
    'Error: initializing source docker://x/y:1: pinging container registry x: dial tcp: lookup x: no such host',
    'IMAGE_PULL_FAILED',
    'no such host'
  ],
  [
    'starting container 5aca51b28b1a47b34adeec469d3c0285b539d8bc023324b21cd23a0695e8ca42: cannot listen on the TCP port: listen tcp4 :18080: bind: address already in use\n' +
      'starting container 6b: a dependency of container 6b failed to start: container state improper\nError: failed to start 2 containers',
    'PORT_IN_USE',
    ':18080'
  ],
  [
    'starting container ab: runc: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory: OCI runtime attempted to invoke a command that was not found\nError: failed to start 1 containers',
    'START_FAILED',
    '"/nope"'
  ],
  ['Error: write /var/lib/x.json: no space left on device', 'STORAGE_FULL', 'no space left'],
  [
    'Error: can not set env PIP. Reason: fieldPath status.podIP is either not valid or not supported',
    'POD_REFUSED',
    'status.podIP'
  ],
  ['Error: YAML document does not contain any supported kube kind', 'POD_REFUSED', 'kube kind'],
  ['Error: something new', 'ENGINE_TIMEOUT', 'something new'],
  ['', 'ENGINE_TIMEOUT', 'it said nothing']
]

describe("podman's words", () => {
  for (const [words, code, kept] of OBSERVED)
    it(`mean ${code}: ${words.slice(0, 60)}`, () => {
      const noisy = `failed to connect to syslog: Initialization\n${words}`
      const error = toPodmanError('start "x"', noisy, 'ENGINE_TIMEOUT', { workloadId: 'x' })
      expect(error.code).to.equal(code)
      expect(error.message).to.contain(kept).and.to.not.contain('syslog')
      expect(error.message).to.not.match(/[0-9a-f]{64}/)
      expect(error.details).to.deep.equal({ engine: 'podman', workloadId: 'x' })
    })
})
